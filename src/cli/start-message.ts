interface StartFacts {
  url: string;
  dataPlace: string;
  mailPlace: string;
  graphiql: boolean;
}

const FIRST_OPERATION = `mutation {
  createUser(user: { email: "ada@example.com", password: "correct horse battery" }) { userId }
}`;

/** What whoever starts the server for the first time wants to know. */
export function startMessage({ url, dataPlace, mailPlace, graphiql }: StartFacts): string {
  const where = graphiql ? `Open ${url}/graphql in a browser, or paste` : 'To try it, send';
  return `graphql-accounts is listening at ${url}/graphql
  data:  ${dataPlace}
  mails: ${mailPlace}

${where} a first operation:

${FIRST_OPERATION}

`;
}
