let list: Promise<ReadonlySet<string>> | null = null;

/**
 * Whether a password would be among the first that somebody tries (S5): one of some 49,000 common ones (the list of
 * zxcvbn-ts, read at the first call), or one of `contextWords`, which are the user's own e-mail address, its part
 * before the `@`, the username. Upper and lower case, and other spellings of the same letters (NFKC), count as equal.
 */
export async function isCommonPassword(
  password: string,
  contextWords: readonly string[] = [],
): Promise<boolean> {
  const folded = fold(password);
  return contextWords.some((word) => spellings(word).includes(folded)) || (await load()).has(folded);
}

function load(): Promise<ReadonlySet<string>> {
  // Imported here: unpacking takes some 20 ms and 4 MB, which nobody pays who sets no password.
  list ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].map(fold)),
  );
  return list;
}

function spellings(word: string): string[] {
  const folded = fold(word.trim());
  const at = folded.indexOf('@');
  return at > 0 ? [folded, folded.slice(0, at)] : [folded];
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
