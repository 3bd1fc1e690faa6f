import { AdvertiseXError } from '../domain/errors.ts';
import { isListedHost } from './host-names.ts';

/** The address to go on to. Nowhere but to listed hosts: a redirect to anywhere would lend this host's name to whoever writes a link. */
export function redirectTarget(address: string | null, listedHosts: readonly string[]): string {
  const url = address === null ? null : URL.parse(address);
  if (url === null) throw refusal('is not there, or not a whole address');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusal('is not of http or https');
  if (url.username !== '' || url.password !== '') throw refusal('holds a user name or a password');
  if (url.port !== '') throw refusal('names a port');
  if (!isListedHost(url.hostname, listedHosts)) throw refusal('is of a host that is not listed');
  return url.href;
}

/** Listed hosts in the form that an address's host has: lower case, international names in ASCII. */
export function parseListedHosts(hosts: readonly string[]): string[] {
  return hosts.map((host) => {
    const [, wildcard = '', name = ''] = /^(\*\.)?([^/?#@:\\*]+)$/.exec(host) ?? [];
    const url = URL.parse(`http://${name}/`);
    if (name !== '' && url !== null && url.hostname !== '') return `${wildcard}${url.hostname}`;
    throw new AdvertiseXError(
      'config_invalid',
      `${JSON.stringify(host)} is not a host that clicks can go on to`,
      'Give a name like www.example.com, or *.example.com for all names below it.',
    );
  });
}

function refusal(message: string): AdvertiseXError {
  return new AdvertiseXError(
    'request_invalid',
    `The parameter url ${message}`,
    'Give the address of the landing page, on one of the hosts that the server goes on to.',
  );
}
