import { isIPv4 } from 'node:net';
import { AdvertiseXError } from '../domain/errors.ts';

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}

/**
 * A page of the web may give its own name the address 127.0.0.1, and then reads and writes here as if it were of the same origin (DNS
 * rebinding). Its name stays in the Host header.
 */
export function requireLoopbackHost(header: string | undefined): void {
  if (header !== undefined && header === lastLoopback) return;
  if (header !== undefined && /^[\w.:[\]-]+$/.test(header) && isLoopback(nameIn(header))) {
    lastLoopback = header;
    return;
  }
  throw new AdvertiseXError(
    'host_refused',
    'Without tokens the server answers only to requests for localhost or 127.0.0.1',
    'Use http://127.0.0.1 or http://localhost with its port, or give the server tokens.',
  );
}

/** One connection after the other asks for the same. */
let lastLoopback: string | undefined;

function nameIn(header: string): string {
  try {
    return new URL(`http://${header}`).hostname;
  } catch {
    return '';
  }
}

/** Whether a name is one of those listed: itself, or below `*.example.com`. */
export function isListedHost(name: string, listed: readonly string[]): boolean {
  return listed.some((entry) => (entry.startsWith('*.') ? name.endsWith(entry.slice(1)) && name.length >= entry.length : name === entry));
}
