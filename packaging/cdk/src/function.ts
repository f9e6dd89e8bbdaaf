import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ClusterAccess } from './access';
import { _filled, _shared } from './shared';
import { _alarms, _board, _chat } from './watching';

/** Properties of `LandfallFunction`. */
export interface LandfallFunctionProps {
  /** How the function is let into its cluster. */
  readonly cluster: ClusterAccess;

  /**
   * The function's package for `architecture`: `lambda.Code.fromAsset('landfall-x86_64.zip')`.
   *
   * @default - the package of this library's version, where the library was published with it
   */
  readonly code?: lambda.Code;

  /**
   * The processor architecture for which `code` was built.
   *
   * @default lambda.Architecture.X86_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * The function's name, for pipelines of other stacks.
   *
   * @default - made by CloudFormation
   */
  readonly functionName?: string;

  /**
   * Memory in MB; the CPU share grows with it.
   *
   * @default 256
   */
  readonly memorySize?: number;

  /**
   * Time limit of one invocation. The next invocation continues a longer rollout.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: cdk.Duration;

  /**
   * Reserved concurrency: at least the number of pipelines that may deploy at the same time.
   *
   * @default - no reservation: only the account's limit applies
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * The VPC of a private API server. Its subnets need a way to SSM, CodePipeline and S3, too.
   *
   * @default - no VPC
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Which subnets of `vpc`.
   *
   * @default - the private ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The function's security groups; the cluster's must allow HTTPS from them.
   *
   * @default - one is made for it
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * The key that encrypts the kubeconfig, the token or the CA, if it is yours.
   *
   * @default - AWS's own
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Whether deploys may be guarded by CloudWatch alarms (the user parameter `alarms`): the function may
   * then read the alarms of its account and Region.
   *
   * @default false
   */
  readonly readsAlarms?: boolean;

  /**
   * The bus that gets an event of each deploy's end, with versions, seconds and what was rolled back.
   *
   * @default - none
   */
  readonly eventBus?: events.IEventBus;

  /**
   * INFO logs each write to the cluster and each report; DEBUG also logs each read. Above INFO Lambda
   * would drop the metrics, which are log lines of this level.
   *
   * @default lambda.ApplicationLogLevel.INFO
   */
  readonly logLevel?: lambda.ApplicationLogLevel;

  /**
   * How long the log is kept.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * What is told when the function fails, is throttled, reports a failed deploy or misses a renewal.
   *
   * @default - the alarms show in the console only
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Whether to create a CloudWatch dashboard. The first three in an account are free.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * Names of pipelines whose failed Lambda actions, with the message of each, go to a topic for Slack or
   * Teams (Amazon Q Developer in chat applications): `chatTopic`.
   *
   * @default - none
   */
  readonly chatPipelines?: string[];

  /**
   * The bucket from which calls without CodePipeline may name artifacts: the function then reads it with
   * its own role, and decrypts with the bucket's key. A pipeline's artifacts do not need it.
   *
   * @default - none
   */
  readonly artifactBucket?: s3.IBucket;
}

/** The function that a pipeline's action invokes, with its role, log, alarms and access to the cluster. */
export class LandfallFunction extends Construct implements iam.IGrantable, ec2.IConnectable {
  /** The function itself. */
  public readonly function: lambda.Function;

  /** The function's role: what the cluster and AWS know it by. */
  public readonly role: iam.Role;

  /** Where the function writes its log. */
  public readonly logGroup: logs.LogGroup;

  /** What failed in `chatPipelines`, for a channel in Amazon Q Developer in chat applications. */
  public readonly chatTopic?: sns.Topic;

  /** Who permissions are given to: the function's role. */
  public readonly grantPrincipal: iam.IPrincipal;

  constructor(scope: Construct, id: string, props: LandfallFunctionProps) {
    super(scope, id);
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    this.role = new iam.Role(this, 'Role', {
      description: 'Permissions of Landfall in AWS',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    this.grantPrincipal = this.role;
    this.logGroup = new logs.LogGroup(this, 'Log', {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: cdk.RemovalPolicy.DESTROY,
    });
    this.function = new lambda.Function(this, 'Function', {
      functionName: props.functionName,
      description: 'Deploys from CodePipeline to Kubernetes',
      code: props.code ?? published(architecture),
      handler: 'bootstrap',
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture,
      memorySize: props.memorySize ?? 256,
      timeout: props.timeout ?? cdk.Duration.minutes(5),
      reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      role: this.role,
      environment: {
        ...props.cluster._bind(this, this.role, props.encryptionKey),
        ...props.artifactBucket && { ARTIFACT_BUCKET: props.artifactBucket.bucketName },
        ...props.eventBus && { EVENT_BUS: props.eventBus.eventBusArn },
      },
      loggingFormat: lambda.LoggingFormat.JSON,
      applicationLogLevelV2: logLevel(props.logLevel),
      logGroup: this.logGroup,
      // A second delivery of an event would deploy although no one waits for it any more.
      retryAttempts: 0,
      maxEventAge: cdk.Duration.minutes(15),
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
    });
    this.allow(props);
    const watched = {
      name: this.function.functionName,
      logGroup: this.logGroup.logGroupName,
      renewal: props.cluster._renewEvery && this.renew(props.cluster._renewEvery),
    };
    const alarms = _alarms(this, watched, props.alarmTopic);
    if (props.dashboard ?? true) {
      _board(this, watched, alarms);
    }
    if (props.chatPipelines?.length) {
      this.chatTopic = _chat(this, props.chatPipelines);
    }
  }

  /** The function's connections, where it is in a VPC. */
  public get connections(): ec2.Connections {
    return this.function.connections;
  }

  /** By a schedule, and once when the stack is there or was updated: a first token may last only hours. */
  private renew(every: cdk.Duration): events.Rule {
    const renewing = new targets.LambdaFunction(this.function, {
      event: events.RuleTargetInput.fromObject({ rotate: true }),
    });
    const pattern = _shared.first_renewal;
    new events.Rule(this, 'FirstRenewal', {
      description: 'Makes Landfall renew its token once its stack is created or updated',
      eventPattern: {
        source: pattern.source,
        detailType: pattern['detail-type'],
        detail: { ...pattern.detail, 'stack-id': [cdk.Stack.of(this).stackId] },
      },
      targets: [renewing],
    });
    return new events.Rule(this, 'Renewal', {
      description: 'Makes Landfall renew its token for the cluster',
      schedule: events.Schedule.rate(every),
      targets: [renewing],
    });
  }

  private allow(props: LandfallFunctionProps): void {
    this.logGroup.grantWrite(this.role);
    // These two take no resource: a caller needs the id of the job.
    this.statement('ReportToCodePipeline', [
      'codepipeline:PutJobSuccessResult', 'codepipeline:PutJobFailureResult',
    ]);
    if (props.readsAlarms) {
      // On single alarms, CloudWatch would never return a composite one.
      this.statement('ReadAlarms', ['cloudwatch:DescribeAlarms']);
    }
    if (props.eventBus) {
      // Under its own name alone.
      this.role.addToPolicy(new iam.PolicyStatement({
        sid: 'SendEvents',
        actions: ['events:PutEvents'],
        resources: [props.eventBus.eventBusArn],
        conditions: { StringEquals: { 'events:source': 'landfall' } },
      }));
    }
    if (props.artifactBucket) {
      this.allowArtifacts(props.artifactBucket);
    }
    if (props.vpc) {
      this.statement('ConnectToVpc', [
        'ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses',
      ]);
      // The function's own code does not need these permissions. A policy of its own: the role's needs
      // no function, which the function waits for.
      new iam.Policy(this, 'NetworkIsForLambdaAlone', {
        roles: [this.role],
        statements: [new iam.PolicyStatement({
          sid: 'NetworkIsForLambdaAlone',
          effect: iam.Effect.DENY,
          actions: ['ec2:*'],
          resources: ['*'],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': this.function.functionArn } },
        })],
      });
    }
  }

  /** Not `grantRead`: that allows to list the bucket, too. */
  private allowArtifacts(bucket: s3.IBucket): void {
    const { read, decrypt } = _shared.artifacts;
    const key = bucket.encryptionKey?.keyArn;
    for (const statement of key ? [read, decrypt] : [read]) {
      this.role.addToPolicy(iam.PolicyStatement.fromJson(JSON.parse(_filled(JSON.stringify(statement), {
        account: bucket.env.account, partition: cdk.Aws.PARTITION, dns_suffix: cdk.Aws.URL_SUFFIX,
        bucket: bucket.bucketName, key: key ?? '',
      }))));
    }
  }

  private statement(sid: string, actions: string[]): void {
    this.role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources: ['*'] }));
  }
}

function logLevel(asked: lambda.ApplicationLogLevel = lambda.ApplicationLogLevel.INFO): lambda.ApplicationLogLevel {
  if (!['TRACE', 'DEBUG', 'INFO'].includes(asked)) {
    throw new Error(`logLevel may be TRACE, DEBUG or INFO: with ${asked} Lambda would drop the metrics`);
  }
  return asked;
}

/** The package that is published beside the library. */
function published(architecture: lambda.Architecture): lambda.Code {
  const path = join(__dirname, '..', 'function', `landfall-${architecture.name}.zip`);
  if (!existsSync(path)) {
    throw new Error(
      `this library has no package of Landfall for ${architecture.name}: set code to ` +
      `lambda.Code.fromAsset('landfall-${architecture.name}.zip'), from a release or \`make package\``);
  }
  return lambda.Code.fromAsset(path);
}
