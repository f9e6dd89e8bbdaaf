// Makes src/parameters.ts from docs/parameters.schema.json, and puts that schema beside the library,
// which checks parameters by it; and what it has in common with the Terraform module. With --check it only
// compares.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = join(dirname(fileURLToPath(import.meta.url)), '..');
const SCHEMA = join(HERE, '../../docs/parameters.schema.json');
const MADE = join(HERE, 'src/parameters.ts');

// What an object inside a field is called: as one of the field's forms, or as one of its items.
const FORMS = {
  alarms: 'GuardingAlarms', handover: 'OverlapHandover', smoke: 'SmokeTest', steps: 'LinearSteps',
};
const ITEMS = { steps: 'CanaryStep' };

const interfaces = [];
const enums = [];

function pascal(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function constant(text) {
  return text.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function comment(description, indent, standard) {
  const lines = [];
  let line = '';
  for (const word of (description ?? '').replaceAll('*/', '*\\/').split(' ')) {
    if (line && line.length + word.length > 90) {
      lines.push(line);
      line = '';
    }
    line += line ? ` ${word}` : word;
  }
  lines.push(line);
  if (standard !== undefined) {
    lines.push('', `@default ${standard}`);
  }
  return [`${indent}/**`, ...lines.map((text) => `${indent} * ${text}`.trimEnd()), `${indent} */`].join('\n');
}

function structure(name, schema, title) {
  const required = new Set(schema.required ?? []);
  // `$schema` is for editors.
  const named = Object.entries(schema.properties).filter(([field]) => !field.startsWith('$'));
  const fields = named.map(([field, inner]) => {
    const optional = !required.has(field);
    const standard = optional ? JSON.stringify(inner.default) ?? '- none' : undefined;
    const text = inner.description ?? `${pascal(field)}.`;
    const type = typeOf(field, inner, FORMS);
    return `${comment(text, '  ', standard)}\n  readonly ${field}${optional ? '?' : ''}: ${type};`;
  });
  return `${comment(title, '')}\nexport interface ${name} {\n${fields.join('\n\n')}\n}`;
}

function enumeration(field, schema) {
  const name = pascal(field);
  const members = schema.enum.map((value) => `  /** \`${value}\` */\n  ${constant(value)} = '${value}',`);
  enums.push(`${comment(schema.description ?? name, '')}\nexport enum ${name} {\n${members.join('\n')}\n}`);
  return name;
}

function objectType(field, schema, names) {
  if (schema.properties) {
    const name = names[field];
    if (!name) {
      throw new Error(`tools/parameters.mjs has no name for the object of ${field}`);
    }
    interfaces.push(structure(name, schema, `A form of the parameter \`${field}\`.`));
    return name;
  }
  const values = schema.additionalProperties;
  return `{ [name: string]: ${values?.type === 'string' ? 'string' : 'any'} }`;
}

function typeOf(field, schema, names) {
  if (schema.anyOf) {
    const [listed, ...others] = schema.anyOf;
    // A value of a list, or what a variable of the pipeline gives in its place.
    if (listed.enum && others.every((form) => form.pattern)) {
      return typeOf(field, { ...listed, description: schema.description }, names);
    }
    return [...new Set(schema.anyOf.map((form) => typeOf(field, form, names)))].join(' | ');
  }
  if (schema.enum) {
    return names === FORMS && !schema.description ? 'string' : enumeration(field, schema);
  }
  if (Array.isArray(schema.type)) {
    return [...new Set(schema.type.map((type) => typeOf(field, { type }, names)))].join(' | ');
  }
  switch (schema.type) {
    case 'array':
      return `Array<${typeOf(field, schema.items, ITEMS)}>`;
    case 'object':
      return objectType(field, schema, names);
    case 'integer':
      return 'number';
    case 'string':
    case 'boolean':
      return schema.type;
    default:
      throw new Error(`tools/parameters.mjs does not know the type of ${field}`);
  }
}

const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));
const parameters = structure('UserParameters', schema, 'What Landfall is to deploy, and how.');
const text = [
  '// Made from docs/parameters.schema.json by tools/parameters.mjs.',
  ...enums, ...interfaces, parameters,
].join('\n\n') + '\n';
if (process.argv.includes('--check')) {
  if (readFileSync(MADE, 'utf8') !== text) {
    console.error('src/parameters.ts is not what docs/parameters.schema.json says: npm run parameters');
    process.exit(1);
  }
} else {
  writeFileSync(MADE, text);
}
mkdirSync(join(HERE, 'schema'), { recursive: true });
copyFileSync(SCHEMA, join(HERE, 'schema/parameters.schema.json'));
for (const name of ['shared.json', 'dashboard.json.tftpl']) {
  copyFileSync(join(HERE, '../../packaging/terraform', name), join(HERE, 'schema', name));
}
