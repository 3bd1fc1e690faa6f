"""The smaller job on DuckDB: python job.py FEEDS_DIR OUT_DIR. The statements are in job.sql; here is what SQL alone cannot do.

Avro is decoded by Polars on a thread of its own while DuckDB reads the JSON on the other core: DuckDB's avro extension
takes 2.5 times the CPU time for the same file. The lake is one COPY per table and day, faster than PARTITION_BY and without
its buffer per partition.
"""

import glob
import pathlib
import sys
import threading

import duckdb
import polars
import pyarrow

LAKE = {
    "impressions": "* exclude (event_hash)",
    "clicks": "* exclude (event_hash)",
    "conversions": "* exclude (event_hash)",
    "bid_requests": "* exclude (event_hash)",
    "attribution": "*",
}
DAY_OF = {"attribution": "conversion_time"}


def main(feeds: str, out: str) -> None:
    decoded: list[polars.DataFrame] = []

    def decode_bids() -> None:
        decoded.append(polars.concat([polars.read_avro(path) for path in sorted(glob.glob(f"{feeds}/bid-requests/*.avro"))]))

    decoding = threading.Thread(target=decode_bids)
    decoding.start()
    connection = duckdb.connect()
    for variable, path in {"impressions": "ad-impressions/*", "clicks_conversions": "clicks-conversions/*", "creatives": "reference/creatives.csv"}.items():
        connection.execute(f"set variable {variable} = ?", [f"{feeds}/{path}"])
    script = pathlib.Path(__file__).with_name("job.sql").read_text()
    before_bids, from_bids = script.split("create table bid_requests as", 1)
    connection.execute(before_bids)
    decoding.join()
    connection.register("bid_arrow", in_row_groups(decoded.pop()))
    connection.execute("create table bid_requests as" + from_bids)
    write_lake(connection, pathlib.Path(out))


def in_row_groups(frame: polars.DataFrame) -> pyarrow.Table:
    """Without a copy (string views), and in batches: DuckDB scans one batch on one thread."""
    table = frame.with_columns(polars.col("timestamp").dt.replace_time_zone(None)).to_arrow(compat_level=polars.CompatLevel.newest())
    return pyarrow.Table.from_batches(table.to_batches(max_chunksize=61_440))


def write_lake(connection: duckdb.DuckDBPyConnection, out: pathlib.Path) -> None:
    for table, columns in LAKE.items():
        time = DAY_OF.get(table, "event_time")
        for (day,) in connection.execute(f"select distinct {time}::date from {table}").fetchall():
            folder = out / "lake" / table / f"dt={day}"
            folder.mkdir(parents=True)
            connection.execute(
                f"copy (select {columns} from {table} where {time} >= date '{day}' and {time} < date '{day}' + 1)"
                f" to '{folder}/part-0.parquet' (format parquet, compression zstd)"
            )
    hourly = out / "campaign_hourly"
    hourly.mkdir(parents=True)
    connection.execute(f"copy campaign_hourly to '{hourly}/part-0.parquet' (format parquet, compression zstd)")


main(*sys.argv[1:])
