/** A proxy that asks for a name and a password (RFC 7617) over TLS, and hands on what comes with them. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { DoorConfiguration } from './registry-door.ts';

const { port, target, username, password, certificate, key } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as DoorConfiguration;
const { hostname, port: targetPort } = new URL(target);
const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (asked, answer) => {
  if (asked.headers.authorization !== expected) {
    asked.resume();
    answer.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"' }).end();
    return;
  }
  const { authorization: _, ...headers } = asked.headers;
  const handed = request({ hostname, port: targetPort, path: asked.url, method: asked.method, headers }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  handed.on('error', (error) => {
    console.error(`The registry does not answer: ${error.message}`);
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end();
  });
  asked.pipe(handed);
}).listen(port, '127.0.0.1', () => console.log(`Before ${target}`));
