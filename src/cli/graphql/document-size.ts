import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { DocumentBounds } from './bounds.ts';

type Size = Omit<DocumentBounds, 'tokens'>;

const NOTHING: Size = { depth: 0, aliases: 0 };

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

function createMeasure(document: DocumentNode): (selectionSet: SelectionSetNode) => Size {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Size>();

  function ofFragment(name: string): Size {
    const known = measured.get(name);
    const fragment = fragments.get(name);
    if (known || !fragment) return known ?? NOTHING;
    // A fragment that spreads itself has no size; GraphQL's own rules refuse it.
    measured.set(name, NOTHING);
    const size = ofSelections(fragment.selectionSet);
    measured.set(name, size);
    return size;
  }

  function ofSelections({ selections }: SelectionSetNode): Size {
    const names = new Set<string>();
    let depth = 0;
    let aliases = 0;
    for (const selection of selections) {
      let size: Size;
      let level = 0;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        // The same field a thousand times costs as much as a thousand aliases: every pair is compared.
        if (selection.alias || names.has(name)) aliases++;
        names.add(name);
        size = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING;
        level = 1;
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        size = ofFragment(selection.name.value);
      } else {
        size = ofSelections(selection.selectionSet);
      }
      depth = Math.max(depth, size.depth + level);
      aliases += size.aliases;
    }
    return { depth, aliases };
  }

  return ofSelections;
}
