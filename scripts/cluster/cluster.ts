import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Certificates, makeCertificates } from './certificates.ts';
import { FOLDERS } from './folders.ts';
import { type KafkaAccess, kafka } from './kafka.ts';
import { freePorts } from './ports.ts';
import { type DetachedProcess, endOfFile, endProcess, isAlive, startDetached } from './processes.ts';
import { type RegistryAccess, registry } from './registry.ts';
import { type RegistryDoorAccess, registryDoor } from './registry-door.ts';
import { type S3Access, s3 } from './s3.ts';
import type { Service } from './service.ts';

const SERVICES = { kafka, registry, registryDoor: registryDoor(async () => (await readCluster()).registry.url), s3 } as const;
export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

/** What `cluster.json` says: how everything is reached, and what runs. */
export interface Cluster {
  readonly kafka: KafkaAccess;
  readonly registry: RegistryAccess;
  readonly registryDoor: RegistryDoorAccess;
  readonly s3: S3Access;
  readonly certificates: Certificates;
  readonly services: Readonly<Record<ServiceName, ServiceRun>>;
}

interface ServiceRun {
  /** For configuration and data. */
  readonly folder: string;
  readonly log: string;
  /** Undefined while it is stopped on purpose. */
  readonly process: DetachedProcess | undefined;
}

const READY_MILLIS = 90_000;
const STOP_MILLIS = 30_000;

export async function isUp(): Promise<boolean> {
  if (!existsSync(FOLDERS.cluster)) return false;
  const cluster = await readCluster();
  return SERVICE_NAMES.some((name) => isRunning(cluster, name));
}

/** Starts what does not run of these: all of it anew, or what had ended by itself, with its data. Gives what that was. */
export async function bringUp(wanted: readonly ServiceName[] = SERVICE_NAMES): Promise<readonly ServiceName[]> {
  const cluster = (await isUp()) ? await readCluster() : await beginCluster();
  const stopped = wanted.filter((name) => !isRunning(cluster, name));
  const starts = await Promise.allSettled(stopped.map((name) => startService(name)));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return stopped;
}

/** Stops what runs. Data and logs are left for whoever wants to look at them; the next `bringUp` begins with none. */
export async function takeDown(): Promise<readonly ServiceName[]> {
  if (!existsSync(FOLDERS.cluster)) return [];
  const cluster = await readCluster();
  const running = SERVICE_NAMES.filter((name) => isRunning(cluster, name));
  await Promise.all(running.map((name) => stopService(name)));
  await rm(FOLDERS.cluster);
  return running;
}

export async function readCluster(): Promise<Cluster> {
  const text = await readFile(FOLDERS.cluster, 'utf8').catch((cause) => {
    throw new Error('The services are not up: npm run cluster:up', { cause });
  });
  return JSON.parse(text) as Cluster;
}

/** Throws if a service ended that nobody stopped, with the end of what it said. */
export async function requireRunning(): Promise<void> {
  const cluster = await readCluster();
  for (const name of SERVICE_NAMES) {
    const { process, log } = cluster.services[name];
    if (process !== undefined && !isAlive(process)) throw new Error(`${name} ended by itself. The end of ${log}:\n${endOfFile(log)}`);
  }
}

/** Until it answers. Its data and its addresses are those it had. */
export async function startService(name: ServiceName): Promise<void> {
  const cluster = await readCluster();
  const service = SERVICES[name] as Service<Cluster[ServiceName]>;
  const run = cluster.services[name];
  const access = cluster[name];
  const place = { program: await service.install(), folder: run.folder };
  await service.prepare(place, access, cluster.certificates);
  const process = await startDetached({ ...service.command(place, access), log: run.log });
  await noteProcess(name, process);
  await waitUntilReady(name, process, run.log, () => service.check(access));
}

/** With SIGKILL it has no time to put anything in order. */
export async function stopService(name: ServiceName, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const { process } = (await readCluster()).services[name];
  await noteProcess(name, undefined);
  if (process !== undefined) await endProcess(process, signal, STOP_MILLIS);
}

/** Its data are kept. */
export async function restartService(name: ServiceName, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  await stopService(name, signal);
  await startService(name);
}

function isRunning(cluster: Cluster, name: ServiceName): boolean {
  const { process } = cluster.services[name];
  return process !== undefined && isAlive(process);
}

/** Without data: certificates, passwords and ports are new ones. */
async function beginCluster(): Promise<Cluster> {
  await rm(FOLDERS.run, { recursive: true, force: true });
  await rm(FOLDERS.logs, { recursive: true, force: true });
  await mkdir(FOLDERS.run, { recursive: true, mode: 0o700 });
  await mkdir(FOLDERS.logs, { recursive: true });
  const certificates = await makeCertificates(join(FOLDERS.run, 'certificates'));
  const ports = await freePorts(SERVICE_NAMES.reduce((sum, name) => sum + SERVICES[name].ports, 0));
  const access = <A>(service: Service<A>): A => service.access(ports.splice(0, service.ports));
  const stopped = (name: ServiceName): ServiceRun => ({
    folder: join(FOLDERS.run, name),
    log: join(FOLDERS.logs, `${name}.log`),
    process: undefined,
  });
  const cluster: Cluster = {
    kafka: access(kafka),
    registry: access(registry),
    registryDoor: access(SERVICES.registryDoor),
    s3: access(s3),
    certificates,
    services: { kafka: stopped('kafka'), registry: stopped('registry'), registryDoor: stopped('registryDoor'), s3: stopped('s3') },
  };
  await writeCluster(cluster);
  return cluster;
}

async function waitUntilReady(name: ServiceName, process: DetachedProcess, log: string, check: () => Promise<void>): Promise<void> {
  const until = performance.now() + READY_MILLIS;
  for (;;) {
    if (!isAlive(process)) throw new Error(`${name} ended while it was started. The end of ${log}:\n${endOfFile(log)}`);
    try {
      return await check();
    } catch (cause) {
      if (performance.now() > until)
        throw new Error(`${name} does not answer after ${READY_MILLIS / 1_000} s. The end of ${log}:\n${endOfFile(log)}`, { cause });
    }
    await wait(100);
  }
}

/** Services are started at the same time: what they note is written one after the other. */
let noted = Promise.resolve();

function noteProcess(name: ServiceName, process: DetachedProcess | undefined): Promise<void> {
  noted = noted
    .catch(() => undefined)
    .then(async () => {
      const cluster = await readCluster();
      const { process: _, ...run } = cluster.services[name];
      await writeCluster({ ...cluster, services: { ...cluster.services, [name]: { ...run, process } } });
    });
  return noted;
}

async function writeCluster(cluster: Cluster): Promise<void> {
  const unfinished = `${FOLDERS.cluster}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(cluster, undefined, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, FOLDERS.cluster);
}
