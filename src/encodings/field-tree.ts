import { AdvertiseXError } from '../domain/errors.ts';
import type { FieldPath } from './decoder.ts';

/** The contract's fields by the keys that lead to them: what a decoder of nested records walks down. */
export interface FieldNode {
  /** Index of the contract field that stands here, or -1. */
  field: number;
  readonly children: Map<string, FieldNode>;
}

export function buildFieldTree(fields: readonly FieldPath[]): FieldNode {
  const root = newNode();
  for (const [field, { paths }] of fields.entries()) {
    for (const path of paths) {
      let node = root;
      for (const key of path) {
        let child = node.children.get(key);
        if (child === undefined) {
          child = newNode();
          node.children.set(key, child);
        }
        node = child;
      }
      if (node.field >= 0 && node.field !== field) {
        throw new AdvertiseXError(
          'contract_invalid',
          `Two fields of the contract arrive as "${path.join('.')}".`,
          'Give each field and alias of the contract a name of its own.',
        );
      }
      node.field = field;
    }
  }
  return root;
}

/** Dotted name of a field, for messages: its own path, not an alias. */
export function fieldName(fields: readonly FieldPath[], field: number): string {
  return fields[field]?.paths[0]?.join('.') ?? '';
}

function newNode(): FieldNode {
  return { field: -1, children: new Map() };
}
