import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FOLDERS } from './folders.ts';

/** A folder with an installed program, made at the first call: whole or not at all. */
export async function installed(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(FOLDERS.installed, name);
  if (existsSync(folder)) return folder;
  await mkdir(FOLDERS.installed, { recursive: true });
  const unfinished = await mkdtemp(join(FOLDERS.installed, `.${name}-`));
  console.log(`Installing ${name} …`);
  try {
    await install(unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Two at once: the other one was first.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** What a pom.xml depends on, from the registry that Maven is set to. */
export async function copyDependencies(pom: string, folder: string): Promise<void> {
  await runMaven(['--file', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]);
}

/** One artifact alone. Later versions of the plugin want to read its parent too, which not every registry has. */
export async function copyArtifact(coordinates: string, folder: string): Promise<void> {
  await runMaven(['org.apache.maven.plugins:maven-dependency-plugin:2.10:copy', `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`]);
}

async function runMaven(words: readonly string[]): Promise<void> {
  await runTool('mvn', ['--quiet', '--batch-mode', ...words], { need: 'Maven and a JDK of 17 or later' });
}

/** Archives (`.tar.gz`) of a folder, unpacked into it and removed. */
export async function unpackArchives(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.tar.gz')) continue;
    await runTool('tar', ['-xzf', join(folder, name), '-C', folder], { need: 'tar' });
    await rm(join(folder, name));
  }
}

/** A program that is built from a Go module, from the proxy that Go is set to. */
export async function buildWithGo(module: string, folder: string): Promise<void> {
  await runTool('go', ['install', '-buildvcs=false', module], { need: 'Go', environment: { GOBIN: folder, GOFLAGS: '', CGO_ENABLED: '0' } });
}

export interface ToolOptions {
  /** What has to be there, in words. */
  readonly need: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a tool to its end and gives what it prints. A failure carries the end of that. */
export async function runTool(program: string, words: readonly string[], { need, environment }: ToolOptions): Promise<string> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => printed.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on('error', (cause) => reject(new Error(`${program} cannot be started (${cause.message}): ${need} is needed`, { cause })));
  child.on('close', (code, signal) => {
    const text = Buffer.concat(printed).toString();
    if (code === 0) resolve(text);
    else reject(new Error(`${program} ${words[0]} ended with ${code ?? signal}:\n${text.trimEnd().slice(-2_000)}`));
  });
  return promise;
}
