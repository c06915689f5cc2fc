export { masked } from './report.ts';
