import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { DocumentBounds } from './bounds.ts';

type Size = Pick<DocumentBounds, 'depth' | 'aliases'>;

interface Measured extends Size {
  /** The names under which its fields answer, those of its fragments among them: they all land in one object. */
  names: ReadonlySet<string>;
}

const NOTHING: Measured = { depth: 0, aliases: 0, names: new Set() };

/**
 * Says why a document asks for too much, or null. Each operation is measured with its fragments unfolded, and each
 * fragment once, however often it is spread: a chain of n fragments, each of which spreads the next one twice, is short
 * to write and 2ⁿ fields long when unfolded.
 */
export function excessOf(document: DocumentNode, bounds: Size): string | null {
  const measure = createMeasure(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, aliases } = measure(definition.selectionSet);
    if (depth > bounds.depth) return `The document is nested deeper than ${bounds.depth}.`;
    if (aliases > bounds.aliases) {
      return `The document has more than ${bounds.aliases} aliases or repeated fields.`;
    }
  }
  return null;
}

function createMeasure(document: DocumentNode): (selectionSet: SelectionSetNode) => Measured {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Measured>();

  function ofFragment(name: string): Measured {
    const known = measured.get(name);
    const fragment = fragments.get(name);
    if (known || !fragment) return known ?? NOTHING;
    // A fragment that spreads itself has no size; GraphQL's own rules refuse it.
    measured.set(name, NOTHING);
    const size = ofSelections(fragment.selectionSet);
    measured.set(name, size);
    return size;
  }

  function ofField({ alias, name, selectionSet }: FieldNode): Measured {
    const { depth, aliases } = selectionSet ? ofSelections(selectionSet) : NOTHING;
    const names = new Set([alias?.value ?? name.value]);
    return { depth: depth + 1, aliases: aliases + (alias ? 1 : 0), names };
  }

  function ofSelection(selection: SelectionNode): Measured {
    if (selection.kind === Kind.FIELD) return ofField(selection);
    if (selection.kind === Kind.INLINE_FRAGMENT) return ofSelections(selection.selectionSet);
    return ofFragment(selection.name.value);
  }

  function ofSelections({ selections }: SelectionSetNode): Measured {
    const names = new Set<string>();
    let depth = 0;
    let aliases = 0;
    for (const selection of selections) {
      const size = ofSelection(selection);
      depth = Math.max(depth, size.depth);
      aliases += size.aliases;
      for (const name of size.names) {
        // The same field a thousand times costs as much as a thousand aliases: every pair is compared.
        if (names.has(name)) aliases++;
        names.add(name);
      }
    }
    return { depth, aliases, names };
  }

  return ofSelections;
}
