// What every limiter of the package is made from. It has no types of its own there.

declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import type { RateLimiterRes } from 'rate-limiter-flexible';

  export default abstract class RateLimiterStoreAbstract {
    constructor(options: { points: number; duration: number; keyPrefix?: string });
    consume(key: string, points?: number, options?: { customDuration?: number }): Promise<RateLimiterRes>;
    penalty(key: string, points?: number, options?: { customDuration?: number }): Promise<RateLimiterRes>;
    reward(key: string, points?: number): Promise<RateLimiterRes>;
    get(key: string): Promise<RateLimiterRes | null>;
    delete(key: string): Promise<boolean>;
    points: number;
  }
}

declare module 'rate-limiter-flexible/lib/RateLimiterRes.js' {
  export { RateLimiterRes as default } from 'rate-limiter-flexible';
}
