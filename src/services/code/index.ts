import type { ServiceFactory } from '../../core/service.ts';
import { type CodeOptions, resolveCodeOptions } from './options.ts';
import { CodeService } from './service.ts';

export type { CodeOptions } from './options.ts';
export type { CodeService } from './service.ts';

/**
 * Login by a code of six digits that is mailed: `authenticate(serviceName: "code", params: { user: { email }, code })`.
 *
 * ```ts
 * new AccountsServer({ db, tokenSecret: process.env.TOKEN_SECRET }, { password: password(), code: code() });
 * ```
 *
 * Throws a TypeError for an unknown or unsafe option; so does the server where it has no key for what is too short for
 * a plain hash: give `encryptionKey`, or a `tokenSecret` that is a string.
 */
export function code(options: CodeOptions = {}): ServiceFactory<CodeService> {
  const resolved = resolveCodeOptions(options);
  return { create: (context) => new CodeService(context, resolved) };
}
