#!/bin/sh
# Installs what the peers run on, under .cache/peers: a Python environment each, from pinned requirements.
# Needs python3 (3.10 or later) with venv, and for PySpark Java 17 and Maven. Registries are those that pip and mvn are set to.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/peers
mkdir -p "$cache"

for peer in duckdb pyspark; do
  if ! cmp -s "$here/$peer/requirements.txt" "$cache/$peer/installed.txt"; then
    rm -rf "${cache:?}/$peer"
    python3 -m venv "$cache/$peer"
    "$cache/$peer/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/$peer/requirements.txt"
    if [ "$peer" = pyspark ]; then
      jars=$("$cache/$peer/bin/python" -c 'import pyspark; print(pyspark.__path__[0])')/jars
      mvn --quiet --batch-mode --file "$here/$peer/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars"
    fi
    cp "$here/$peer/requirements.txt" "$cache/$peer/installed.txt"
  fi
  echo "$peer: $("$cache/$peer/bin/python" -c "import $peer; print($peer.__version__)")"
done
