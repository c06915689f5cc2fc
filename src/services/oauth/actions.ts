export { linkTo, recognise, recogniseAgain, unlink } from './accounts.ts';
export { begin, describe, finish } from './flows.ts';
