import type { Certificates } from './certificates.ts';
import type { CommandToStart } from './processes.ts';

/** A server of others that tests run against. */
export interface Service<Access> {
  /** Ports that it needs. */
  readonly ports: number;
  /** Makes sure that its program is there, and gives the folder that it is in. */
  install(): Promise<string>;
  /** How it is reached, with names and passwords that are made for it. Told once, for as long as its data are kept. */
  access(ports: readonly number[]): Access;
  /** Writes its configuration, and its first data where there are none. */
  prepare(place: ServicePlace, access: Access, certificates: Certificates): Promise<void>;
  command(place: ServicePlace, access: Access): Omit<CommandToStart, 'log'>;
  /** Whether it answers as clients need it; what it throws says why it does not. */
  check(access: Access): Promise<void>;
}

export interface ServicePlace {
  /** Where its program is installed. */
  readonly program: string;
  /** Its own folder, for configuration and data. */
  readonly folder: string;
}
