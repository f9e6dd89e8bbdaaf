import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as cdk from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import * as actions from 'aws-cdk-lib/aws-codepipeline-actions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import landfallCdk from '../lib/index.js';

const { ClusterAccess, LandfallDeployAction, LandfallFunction, Strategy } = landfallCdk;

const ZIP = join(mkdtempSync(join(tmpdir(), 'landfall-')), 'landfall-x86_64.zip');
writeFileSync(ZIP, 'a package');

function stage(cluster, properties = () => ({})) {
  const stack = new cdk.Stack(new cdk.App(), 'Stack', { env: { account: '111122223333', region: 'eu-central-1' } });
  const landfall = new LandfallFunction(stack, 'Landfall', {
    cluster: cluster(stack), code: lambda.Code.fromAsset(ZIP), ...properties(stack),
  });
  return { stack, landfall, template: () => Template.fromStack(stack) };
}

const prod = () => ClusterAccess.eks('prod');

function environment(template) {
  const [found] = Object.values(template.findResources('AWS::Lambda::Function', {
    Properties: { Handler: 'bootstrap' },
  }));
  return found.Properties.Environment.Variables;
}

/** Every action that some statement allows. */
function allowed(template) {
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap((policy) => policy.Properties.PolicyDocument.Statement);
  return [...new Set(statements.flatMap((statement) => statement.Action))].sort();
}

test('an EKS cluster is opened by the role alone', () => {
  const template = stage(prod).template();
  assert.deepEqual(environment(template), { EKS_CLUSTER: 'prod' });
  template.hasResourceProperties('AWS::EKS::AccessEntry', {
    ClusterName: 'prod', KubernetesGroups: ['landfall'],
  });
  assert.deepEqual(allowed(template), [
    'codepipeline:PutJobFailureResult', 'codepipeline:PutJobSuccessResult', 'eks:DescribeCluster',
    'logs:CreateLogStream', 'logs:PutLogEvents',
  ]);
});

test('the function is as the documents say', () => {
  const template = stage(prod).template();
  template.hasResourceProperties('AWS::Lambda::Function', {
    Runtime: 'provided.al2023', Architectures: ['x86_64'], MemorySize: 256, Timeout: 300,
    LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO' },
  });
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 900,
  });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 3);
  template.resourceCountIs('AWS::Events::Rule', 0);
});

test('a cluster of another account is opened by its role', () => {
  const arn = 'arn:aws:eks:eu-west-1:444455556666:cluster/prod';
  const template = stage((stack) => ClusterAccess.eks(arn, {
    role: iam.Role.fromRoleArn(stack, 'There', 'arn:aws:iam::444455556666:role/landfall'), externalId: 'shop',
  })).template();
  assert.deepEqual(environment(template), {
    EKS_CLUSTER: arn, EKS_ROLE: 'arn:aws:iam::444455556666:role/landfall', EKS_EXTERNAL_ID: 'shop',
  });
  template.resourceCountIs('AWS::EKS::AccessEntry', 0);
  assert(allowed(template).includes('sts:AssumeRole'));
  assert(!allowed(template).includes('eks:DescribeCluster'));
});

test('a kubeconfig comes from Parameter Store or Secrets Manager', () => {
  const parameter = (stack) => ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Config', {
    parameterName: '/landfall/kubeconfig',
  });
  const stored = stage((stack) => ClusterAccess.kubeconfig(parameter(stack))).template();
  assert.deepEqual(environment(stored), { KUBECONFIG_PARAMETER: '/landfall/kubeconfig' });
  assert(allowed(stored).includes('ssm:GetParameters'));
  const secret = stage((stack) => ClusterAccess.kubeconfigSecret(
    secretsmanager.Secret.fromSecretNameV2(stack, 'Config', 'kubeconfig'))).template();
  assert.deepEqual(environment(secret), { KUBECONFIG_PARAMETER: '/aws/reference/secretsmanager/kubeconfig' });
  assert(allowed(secret).includes('secretsmanager:GetSecretValue'));
  assert(allowed(secret).includes('ssm:GetParameters'));
});

test('a token is renewed by the schedule that is asked for', () => {
  const token = (stack) => ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Token', {
    parameterName: '/landfall/token',
  });
  const way = (renewEvery) => (stack) => ClusterAccess.token({
    url: 'https://api.example.com', token: token(stack), ca: 'LS0tLS1CRUdJTi', renewEvery,
  });
  const key = (stack) => ({ encryptionKey: new kms.Key(stack, 'Key') });
  const renewed = stage(way(cdk.Duration.hours(8)), key).template();
  renewed.hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(8 hours)', Targets: [Match.objectLike({ Input: '{"rotate":true}' })],
  });
  renewed.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      source: ['aws.cloudformation'], detail: Match.objectLike({ 'stack-id': [{ Ref: 'AWS::StackId' }] }),
    }),
    Targets: [Match.objectLike({ Input: '{"rotate":true}' })],
  });
  renewed.resourceCountIs('AWS::CloudWatch::Alarm', 4);
  for (const action of ['ssm:PutParameter', 'ssm:GetParameterHistory', 'kms:Decrypt', 'kms:Encrypt']) {
    assert(allowed(renewed).includes(action), action);
  }
  const kept = stage(way(undefined)).template();
  kept.resourceCountIs('AWS::Events::Rule', 0);
  assert(!allowed(kept).includes('ssm:PutParameter'));
  assert.throws(() => stage(way(cdk.Duration.hours(9))), /8 hours at most/);
});

test('what would be wrong at the first deploy is refused at once', () => {
  assert.throws(() => ClusterAccess.eks('prod', { externalId: 'x' }), /without role/);
  assert.throws(() => ClusterAccess.eks('arn:aws:eks:eu-west-1:1:cluster/x', { accessEntry: true }), /not an ARN/);
  assert.throws(() => stage((stack) => ClusterAccess.token({
    url: 'http://api.example.com',
    token: ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'T', { parameterName: 't' }),
  })), /https/);
  assert.throws(() => stage(prod, () => ({ code: undefined })), /make package/);
  assert.throws(() => stage(prod, () => ({ logLevel: lambda.ApplicationLogLevel.WARN })), /drop the metrics/);
});

test('alarms, a network and notices are there where they are asked for', () => {
  const template = stage(prod, (stack) => ({
    readsAlarms: true,
    vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 1 }),
    alarmTopic: new sns.Topic(stack, 'Topic'),
  })).template();
  for (const action of ['cloudwatch:DescribeAlarms', 'ec2:CreateNetworkInterface']) {
    assert(allowed(template).includes(action), action);
  }
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
});

const SHARED = JSON.parse(readFileSync(new URL('../schema/shared.json', import.meta.url), 'utf8'));

/** The text that CloudFormation makes of an `Fn::Join`, with ids in the place of what it fills in. */
function joined(value) {
  return value['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : Object.values(part).flat()[0])).join('');
}

test('the alarms are those of the template, and none rings from the first minute', () => {
  const template = stage((stack) => ClusterAccess.token({
    url: 'https://api.example.com',
    token: ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Token', { parameterName: 't' }),
    renewEvery: cdk.Duration.hours(8),
  }), (stack) => ({ alarmTopic: new sns.Topic(stack, 'Topic') })).template();
  template.resourceCountIs('AWS::CloudWatch::Alarm', SHARED.alarms.length);
  for (const alarm of SHARED.alarms) {
    const tells = alarm.tells === 'ALARM' ? 'AlarmActions' : 'InsufficientDataActions';
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: alarm.namespace, MetricName: alarm.metric, Statistic: alarm.statistic, Period: alarm.period,
      EvaluationPeriods: alarm.periods, ComparisonOperator: alarm.comparison, Threshold: alarm.threshold,
      TreatMissingData: alarm.missing, [tells]: [Match.anyValue()],
      Dimensions: [{ Name: 'FunctionName', Value: Match.anyValue() }],
    });
    assert.notEqual(alarm.missing, 'breaching');
  }
});

test('the dashboard is the one of the template, unless nobody wants it', () => {
  const template = stage(prod).template();
  const [board] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.parse(joined(board.Properties.DashboardBody));
  const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm'));
  assert.deepEqual(body.widgets[0].properties.alarms.toSorted(), alarms.toSorted());
  assert.match(body.widgets[1].properties.query, /^SOURCE 'LandfallLog\w+' \| fields .* 'reporting failure'/);
  assert(!joined(board.Properties.DashboardBody).includes('${'));
  stage(prod, () => ({ dashboard: false })).template().resourceCountIs('AWS::CloudWatch::Dashboard', 0);
});

test('failures go to a chat where pipelines are named', () => {
  const { landfall, template } = stage(prod, () => ({ chatPipelines: ['shop', 'web'] }));
  assert(landfall.chatTopic);
  const rules = Object.values(template().findResources('AWS::Events::Rule'));
  assert.deepEqual(rules.map(({ Properties: rule }) => rule.EventPattern.detail.pipeline), [['shop', 'web'], ['shop', 'web']]);
  const sent = rules.map(({ Properties: rule }) => rule.Targets[0].InputTransformer.InputTemplate);
  assert.deepEqual(sent, Object.values(SHARED.chat).map((rule) => rule.template));
  template().hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: Match.objectLike({ Statement: [Match.objectLike({
      Action: 'sns:Publish', Principal: { Service: 'events.amazonaws.com' },
      Condition: { ArnEquals: { 'aws:SourceArn': [Match.anyValue(), Match.anyValue()] } },
    })] }),
  });
  assert.equal(stage(prod).landfall.chatTopic, undefined);
});

test('calls without CodePipeline read artifacts of one bucket, and nothing else of S3', () => {
  const withKey = (stack) => ({ artifactBucket: s3.Bucket.fromBucketAttributes(stack, 'Releases', {
    bucketName: 'releases', encryptionKey: kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:111122223333:key/k'),
  }) });
  const template = stage(prod, withKey).template();
  assert.deepEqual(environment(template), { EKS_CLUSTER: 'prod', ARTIFACT_BUCKET: 'releases' });
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy'));
  const [read, decrypt] = policy.Properties.PolicyDocument.Statement.filter(
    (statement) => statement.Sid?.endsWith('ArtifactsOfCalls'));
  assert.equal(joined(read.Resource), 'arn:AWS::Partition:s3:::releases/*');
  assert.deepEqual(Object.keys(read.Condition.StringEquals), ['aws:ResourceAccount']);
  assert.deepEqual(Object.keys(decrypt.Condition.StringLike), Object.keys(SHARED.artifacts.decrypt.Condition.StringLike));
  assert.deepEqual([read.Action, decrypt.Action], ['s3:GetObject', 'kms:Decrypt']);
  const plain = stage(prod, (stack) => ({ artifactBucket: s3.Bucket.fromBucketName(stack, 'Releases', 'releases') }));
  assert(!allowed(plain.template()).includes('kms:Decrypt'));
});

test('the ends of deploys go to a bus, under the name of Landfall alone', () => {
  const arn = 'arn:aws:events:eu-central-1:111122223333:event-bus/deploys';
  const template = stage(prod, (stack) => ({ eventBus: events.EventBus.fromEventBusArn(stack, 'Bus', arn) })).template();
  assert.deepEqual(environment(template), { EKS_CLUSTER: 'prod', EVENT_BUS: arn });
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy'));
  const [send] = policy.Properties.PolicyDocument.Statement.filter((statement) => statement.Sid === 'SendEvents');
  assert.deepEqual([send.Action, send.Resource], ['events:PutEvents', arn]);
  assert.deepEqual(send.Condition, { StringEquals: { 'events:source': 'landfall' } });
});

function pipeline(parameters) {
  const { stack, landfall } = stage(prod);
  const source = new codepipeline.Artifact('Source');
  const build = new codepipeline.Pipeline(stack, 'Pipeline', {
    pipelineType: codepipeline.PipelineType.V2,
    artifactBucket: new s3.Bucket(stack, 'Bucket'),
    stages: [
      {
        stageName: 'Source',
        actions: [new actions.S3SourceAction({
          actionName: 'S3', bucket: new s3.Bucket(stack, 'Sources'), bucketKey: 'k8s.zip', output: source,
        })],
      },
      {
        stageName: 'Deploy',
        actions: [new LandfallDeployAction({
          actionName: 'Kubernetes', function: landfall.function, inputs: [source], parameters,
        })],
      },
    ],
  });
  return { stack, build };
}

/** What the action hands to the function. */
function handed(parameters) {
  const template = Template.fromStack(pipeline(parameters).stack);
  const [found] = Object.values(template.findResources('AWS::CodePipeline::Pipeline'));
  return JSON.parse(found.Properties.Stages[1].Actions[0].Configuration.UserParameters);
}

const web = { deployment: 'web', images: { web: '#{Build.IMAGE_URI}' } };

test('an action hands on what it was given, and who deploys', () => {
  assert.deepEqual(handed({ ...web, strategy: Strategy.BLUE_GREEN, service: 'web', bake: '5m' }), {
    ...web, strategy: 'blueGreen', service: 'web', bake: '5m', execution: '#{codepipeline.PipelineExecutionId}',
  });
  assert.equal(handed({ ...web, execution: 'mine' }).execution, 'mine');
});

test('what only the pipeline knows is left to the function', () => {
  assert.equal(handed({ ...web, timeout: '#{variables.TIMEOUT}' }).timeout, '#{variables.TIMEOUT}');
  assert.deepEqual(handed({ ...web, env: { COMMIT: '#{Source.CommitId}', OLD: null } }).env, {
    COMMIT: '#{Source.CommitId}', OLD: null,
  });
});

test('what depends on a value that only CloudFormation knows is left to the function', () => {
  const strategy = '#{variables.STRATEGY}';
  assert.equal(handed({ ...web, strategy, service: 'web', keep: 2 }).strategy, strategy);
});

for (const [what, parameters, words] of [
  ['nothing to deploy', { deployment: 'web' }, /images/],
  ['an unknown field', { ...web, image: 'web:1' }, /additional properties: `image`/],
  ['an unknown strategy', { ...web, strategy: 'bluegreen' }, /`strategy` .*blueGreen/],
  ['a time without its unit', { ...web, timeout: '90' }, /`timeout`/],
  ['a number for a text', { ...web, deployment: 7 }, /`deployment` must be string/],
  ['an image that is empty', { ...web, images: { web: '' } }, /`images.web`/],
  ['a field of another strategy', { ...web, keep: 2 }, /`keep` does not go with the other parameters/],
  ['a switch without its Service', { ...web, strategy: Strategy.IMMUTABLE }, /required property 'service'/],
  ['a misspelt field, in two lines', { deployment: 'web', imagse: {} },
    /takes them:\n- must have one of `images`.*\n- .*`imagse`$/],
  ['an unknown mode, in one line', { ...web, mode: 'dryRun' }, /takes them:\n- `mode` .*planRollback$/],
  ['a time in words', { ...web, timeout: '15 min' }, /takes them:\n- `timeout` must be such as "1h30m"$/],
  ['a time that is too long', { ...web, timeout: '25h' }, /takes them:\n- `timeout` is not allowed: .*1s to 24h/],
  ['a port that is none', { ...web, strategy: Strategy.BLUE_GREEN, service: 'web',
    smoke: { path: '/health', port: 0 } }, /takes them:\n- `smoke.port` must be >= 1$/],
]) {
  test(`${what} is refused when the app is made`, () => {
    assert.throws(() => pipeline(parameters), words);
  });
}

test('parameters that CodePipeline would not store are refused', () => {
  const long = { ...web, env: { TEXT: 'x'.repeat(1000) } };
  assert.throws(() => Template.fromStack(pipeline(long).stack), /CodePipeline takes 1000/);
});

test('the pipeline may invoke the function', () => {
  const template = Template.fromStack(pipeline(web).stack);
  assert(allowed(template).includes('lambda:InvokeFunction'));
});
