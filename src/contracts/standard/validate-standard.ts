import { type ErrorObject, Ajv2019 as Validator } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import type { Place } from '../contract-file.ts';
import odcsSchema from './odcs-3.1.schema.json' with { type: 'json' };

/** Something that the standard does not allow. */
export interface StandardFault {
  readonly place: Place;
  readonly message: string;
}

let validate: ReturnType<Validator['compile']> | undefined;

/** Holds a parsed contract against the Open Data Contract Standard's own JSON schema. Compiling the schema takes a fifth of a second, once. */
export function validateStandard(contract: unknown): StandardFault[] {
  validate ??= compile();
  if (validate(contract)) return [];
  const errors = (validate.errors ?? []).filter(saysSomething);
  // Where a property breaks one rule, the rule that nothing else may stand beside the known keys breaks with it: noise.
  return errors
    .filter((error) => error.keyword !== 'unevaluatedProperties' || !errors.some((other) => other !== error && isWithin(other, error)))
    .map(faultOf);
}

function compile(): ReturnType<Validator['compile']> {
  // The schema is the standard's, not ours: it is compiled as it is, without the checks and optimisations that make compiling slow.
  const validator = new Validator({ allErrors: true, strict: false, validateSchema: false, inlineRefs: false, code: { optimize: false } });
  addFormats.default(validator);
  return validator.compile(odcsSchema);
}

/** Errors of the schema's forks only say that one of their branches failed; the branch has said why. */
function saysSomething(error: ErrorObject): boolean {
  return error.keyword !== 'if';
}

function isWithin(inner: ErrorObject, outer: ErrorObject): boolean {
  return inner.keyword !== 'unevaluatedProperties' && inner.instancePath.startsWith(outer.instancePath);
}

function placeOf(instancePath: string): Place {
  return instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

function faultOf(error: ErrorObject): StandardFault {
  const place = placeOf(error.instancePath);
  const unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
  if (unknown !== undefined) return { place: [...place, String(unknown)], message: 'the standard has no such key here (what is your own goes into customProperties)' };
  const allowed = error.params['allowedValues'];
  return { place, message: `${error.message ?? error.keyword}${Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''}` };
}
