export * from './access';
export * from './deploy-action';
export * from './function';
export * from './parameters';
