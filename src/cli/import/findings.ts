import type { Loss, LossCode, Refusal, RefusalCode } from './finding.ts';

/** What is found out about one user, while it is read. */
export class Findings {
  readonly refusals: Refusal[] = [];
  readonly losses: Loss[] = [];

  /** The user does not come over. */
  refuse(code: RefusalCode, reason: string, field?: string): void {
    this.refusals.push({ code, reason, ...(field !== undefined && { field }) });
  }

  /** The user comes over, and this does not. */
  lose(code: LossCode, reason: string, field: string): void {
    this.losses.push({ code, reason, field });
  }
}
