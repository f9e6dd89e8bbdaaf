/**
 * Makes a stack of each set-up in tests/tools/alike.json, which alike.py then compares with template.yaml.
 *
 * Usage: node alike.mjs FOLDER
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import landfallCdk from '../lib/index.js';

const { ClusterAccess, LandfallFunction } = landfallCdk;

const key = (stack) => kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/k');
const role = (stack, name) => iam.Role.fromRoleArn(stack, name, `arn:aws:iam::444455556666:role/${name}`);
const topic = (stack) => sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-central-1:111122223333:alarms');
const parameter = (stack, parameterName) =>
  ssm.StringParameter.fromSecureStringParameterAttributes(stack, parameterName, { parameterName });
const url = 'https://api.example.com';
const abroad = (account) => `arn:aws:eks:us-east-1:${account}:cluster/prod`;
const elsewhere = ClusterAccess.eks('prod', { accessEntry: false });

const SETUPS = {
  'eks': () => ({ cluster: ClusterAccess.eks('prod') }),
  'eks-whose-entry-is-made-elsewhere': () => ({ cluster: elsewhere }),
  'eks-in-another-region': () => ({ cluster: ClusterAccess.eks(abroad('111122223333')) }),
  'eks-in-another-account': (stack) => ({
    cluster: ClusterAccess.eks(abroad('444455556666'), { role: role(stack, 'landfall'), externalId: 'shop' }),
  }),
  'kubeconfig-in-a-parameter': (stack) => ({
    cluster: ClusterAccess.kubeconfig(parameter(stack, '/k8s/config'), { roles: [role(stack, 'a'), role(stack, 'b')] }),
    encryptionKey: key(stack),
  }),
  'kubeconfig-in-a-secret': (stack) => ({
    cluster: ClusterAccess.kubeconfigSecret(secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'kubeconfig')),
    encryptionKey: key(stack),
  }),
  'token': (stack) => ({ cluster: ClusterAccess.token({ url, token: parameter(stack, 't'), ca: 'LS0tLS1CRUdJTi' }) }),
  'token-that-is-renewed': (stack) => ({
    cluster: ClusterAccess.token({
      url, token: parameter(stack, '/k8s/token'), caParameter: parameter(stack, '/k8s/ca'),
      renewEvery: cdk.Duration.hours(4),
    }),
    encryptionKey: key(stack), alarmTopic: topic(stack),
  }),
  'everything-of-the-function': (stack) => {
    iam.PermissionsBoundary.of(stack).apply(
      iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'));
    return {
      cluster: elsewhere,
      architecture: lambda.Architecture.ARM_64,
      vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0a1b2c3d', availabilityZones: ['a', 'b'], privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-0a1b2c3e'],
      }),
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0a1b2c3d')],
      memorySize: 512,
      timeout: cdk.Duration.minutes(15),
      reservedConcurrentExecutions: 3,
      readsAlarms: true,
      eventBus: events.EventBus.fromEventBusArn(
        stack, 'Bus', 'arn:aws:events:eu-central-1:111122223333:event-bus/deploys'),
      logLevel: lambda.ApplicationLogLevel.DEBUG,
      logRetention: logs.RetentionDays.ONE_MONTH,
      dashboard: false,
      alarmTopic: topic(stack),
    };
  },
  'artifacts-of-calls': (stack) => ({
    cluster: elsewhere,
    artifactBucket: s3.Bucket.fromBucketAttributes(stack, 'Releases', {
      bucketName: 'releases', encryptionKey: key(stack),
    }),
  }),
  'chat': () => ({ cluster: elsewhere, chatPipelines: ['shop', 'web'] }),
  // Its rights come with the pipeline's action.
  'pipeline': () => ({ cluster: elsewhere }),
};

const [, , folder] = process.argv;
const code = join(mkdtempSync(join(tmpdir(), 'landfall-')), 'landfall.zip');
writeFileSync(code, 'a package');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const asked = new Set();
for (const [name, properties] of Object.entries(SETUPS)) {
  const stack = new cdk.Stack(new cdk.App(), 'Stack', { env: { account: '111122223333', region: 'eu-central-1' } });
  const props = { code: lambda.Code.fromAsset(code), functionName: 'landfall', ...properties(stack) };
  Object.keys(props).forEach((property) => asked.add(property));
  new LandfallFunction(stack, 'Landfall', props);
  writeFileSync(join(folder, `${name}.template.json`), JSON.stringify(Template.fromStack(stack).toJSON()));
}
const { types } = JSON.parse(readFileSync(new URL('../.jsii', import.meta.url), 'utf8'));
const all = types['landfall-cdk.LandfallFunctionProps'].properties.map((property) => property.name);
const missing = all.filter((property) => !asked.has(property));
if (missing.length > 0) {
  throw new Error(`no set-up has ${missing.join(', ')}`);
}
