// The floor: nothing but node:http and graphql-js, with documents that are parsed and validated once.
import { createServer } from 'node:http';
import { buildSchema, type DocumentNode, execute, parse, validate } from 'graphql';
import { serveBench } from './children.ts';

const schema = buildSchema('type Query { hello: String }');
const documents = new Map<string, DocumentNode>();

function documentOf(query: string): DocumentNode {
  const known = documents.get(query);
  if (known) return known;
  const document = parse(query);
  const [error] = validate(schema, document);
  if (error) throw error;
  documents.set(query, document);
  return document;
}

const server = createServer({ keepAliveTimeout: 600_000 }, (req, res) => {
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (text) => {
    body += text;
  });
  req.on('end', async () => {
    const { query, variables } = JSON.parse(body);
    const result = await execute({ schema, document: documentOf(query), variableValues: variables });
    const text = JSON.stringify(result);
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    res.end(text);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) serveBench(address.port);
});
