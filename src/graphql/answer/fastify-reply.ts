/** The part of Fastify's reply through which headers are set. */
export interface FastifyReply {
  readonly sent: boolean;
  header(name: string, value: string): unknown;
  getHeader(name: string): unknown;
}

/**
 * A reply as the response that our headers are set on. What is set on Node's response below it would be lost as soon as
 * the application sets a cookie of its own.
 */
export function answerOf(reply: FastifyReply) {
  // Fastify adds a cookie to those that are set already, and replaces every other header.
  const setHeader = (name: string, value: string): unknown => reply.header(name, value);
  return {
    get headersSent() {
      return reply.sent;
    },
    getHeader: (name: string): unknown => reply.getHeader(name),
    setHeader,
    appendHeader: setHeader,
  };
}
