import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { ErrorObject } from 'ajv/dist/2020';
import * as cdk from 'aws-cdk-lib';
import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import * as actions from 'aws-cdk-lib/aws-codepipeline-actions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { UserParameters } from './parameters';

/** What CodePipeline stores of an action's value, before it fills in variables. */
const LIMIT = 1000;

/** What Ajv says of a field that another one rules out. */
const MISPLACED = 'false schema';

/** Properties of `LandfallDeployAction`. */
export interface LandfallDeployActionProps extends codepipeline.CommonAwsActionProps {
  /** The function: `landfall.function`, or one that is imported by its name. */
  readonly function: lambda.IFunction;

  /** What to deploy, and how. `execution` is the pipeline's execution unless you set it. */
  readonly parameters: UserParameters;

  /**
   * The artifacts with the files that `parameters` name, at most five.
   *
   * @default - none
   */
  readonly inputs?: codepipeline.Artifact[];
}

/**
 * An action that deploys with Landfall. It checks its parameters when it is made, except for values
 * that only the pipeline or CloudFormation knows.
 */
export class LandfallDeployAction extends actions.LambdaInvokeAction {
  constructor(props: LandfallDeployActionProps) {
    const { function: invoked, parameters, inputs, ...common } = props;
    const complete: UserParameters = {
      execution: codepipeline.GlobalVariables.executionId, ...parameters,
    };
    check(props.actionName, complete);
    super({ ...common, inputs, lambda: invoked, userParameters: complete });
  }

  protected bound(
    scope: Construct, stage: codepipeline.IStage, options: codepipeline.ActionBindOptions,
  ): codepipeline.ActionConfig {
    const config = super.bound(scope, stage, options);
    const name = this.actionProperties.actionName;
    scope.node.addValidation({
      validate: () => {
        const text = cdk.Stack.of(scope).resolve(config.configuration.UserParameters);
        return typeof text === 'string' && text.length > LIMIT
          ? [`the parameters of ${name} have ${text.length} characters, and CodePipeline takes ${LIMIT}`]
          : [];
      },
    });
    return config;
  }
}

function check(action: string, parameters: UserParameters): void {
  const schema = JSON.parse(readFileSync(join(__dirname, '../schema/parameters.schema.json'), 'utf8'));
  const valid = new Ajv({ allErrors: true, strict: false, validateFormats: false, verbose: true }).compile(schema);
  if (valid(parameters)) {
    return;
  }
  const faults = (valid.errors ?? []).filter((fault) => !isOpen(parameters, fault));
  // Where a value is open, the rules that join several fields are open, too.
  const open = faults.length < (valid.errors ?? []).length;
  const joins = (fault: ErrorObject) => fault.instancePath === '' || fault.keyword === MISPLACED;
  const certain = faults.filter((fault) => !open || !joins(fault));
  if (certain.length > 0) {
    const told = certain.filter((fault) => says(fault, certain));
    const lines = told.map((fault) => `- ${place(fault)}${problem(fault)}${allowed(fault)}`);
    throw new Error(`the parameters of ${action} are not as Landfall takes them:\n${lines.join('\n')}`);
  }
}

/** Whether the value is known only to CloudFormation or to the running pipeline. */
function isOpen(parameters: UserParameters, fault: ErrorObject): boolean {
  let value: any = parameters;
  for (const part of fault.instancePath.split('/').slice(1)) {
    value = value?.[part.replace(/~1/g, '/').replace(/~0/g, '~')];
  }
  return fault.instancePath !== ''
    && (cdk.Token.isUnresolved(value) || (typeof value === 'string' && value.includes('#{')));
}

/** Whether a fault says something beside the others: a rule that joins others does not, where they are told. */
function says(fault: ErrorObject, all: ErrorObject[]): boolean {
  // One of several fields is there, or one is misspelt.
  const isOneOf = /anyOf\/\d+\/required$/.test(fault.schemaPath);
  const isVariable = fault.keyword === 'pattern' && fault.params.pattern === '#\\{';
  // What is told of a part is what is wrong with the whole.
  const holds = (one: ErrorObject) => one.instancePath.startsWith(`${fault.instancePath}/`);
  const isWhole = !['required', 'additionalProperties'].includes(fault.keyword) && all.some(holds);
  const joins = fault.instancePath !== '' && (isWhole || fault.keyword === 'anyOf'
    && all.some((one) => one !== fault && one.instancePath === fault.instancePath));
  return fault.keyword !== 'if' && !isOneOf && !isVariable && !joins;
}

/** The fields of which one must be there, if the fault is that there is none. */
function alternatives(fault: ErrorObject): string[] {
  const forms: any[] = fault.keyword === 'anyOf' && Array.isArray(fault.schema) ? fault.schema : [];
  const fields = forms.map((form) => form.required?.[0]);
  return fields.every((field) => typeof field === 'string') ? fields : [];
}

function problem(fault: ErrorObject): string {
  const fields = alternatives(fault);
  if (fields.length > 0) {
    return `must have one of ${fields.map((field) => `\`${field}\``).join(', ')}`;
  }
  const examples = fault.keyword === 'pattern' ? fault.parentSchema?.examples : undefined;
  if (examples) {
    return `must be such as ${examples.map((example: unknown) => JSON.stringify(example)).join(' or ')}`;
  }
  if (fault.keyword === 'not' && fault.parentSchema?.description) {
    return `is not allowed: ${fault.parentSchema.description}`;
  }
  return fault.keyword === MISPLACED ? 'does not go with the other parameters' : fault.message ?? '';
}

function place(fault: ErrorObject): string {
  return fault.instancePath === '' ? '' : `\`${fault.instancePath.slice(1).replace(/\//g, '.')}\` `;
}

function allowed(fault: ErrorObject): string {
  const { allowedValues, additionalProperty } = fault.params as any;
  if (allowedValues) {
    return `: ${allowedValues.join(', ')}`;
  }
  return additionalProperty ? `: \`${additionalProperty}\`` : '';
}
