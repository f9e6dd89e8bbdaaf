import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ClusterAccess } from './access';

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
   * The key that encrypts the kubeconfig, the token or the CA in Parameter Store, if it is yours.
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
}

/** The function that a pipeline's action invokes, with its role, log, alarms and access to the cluster. */
export class LandfallFunction extends Construct implements iam.IGrantable, ec2.IConnectable {
  /** The function itself. */
  public readonly function: lambda.Function;

  /** The function's role: what the cluster and AWS know it by. */
  public readonly role: iam.Role;

  /** Where the function writes its log. */
  public readonly logGroup: logs.LogGroup;

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
      environment: props.cluster._bind(this, this.role),
      loggingFormat: lambda.LoggingFormat.JSON,
      // Nothing above INFO: Lambda would drop the metrics, which are log lines of this level.
      applicationLogLevelV2: lambda.ApplicationLogLevel.INFO,
      logGroup: this.logGroup,
      // A second delivery of an event would deploy although no one waits for it any more.
      retryAttempts: 0,
      maxEventAge: cdk.Duration.minutes(15),
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
    });
    this.allow(props);
    this.watch(props);
    if (props.cluster._renewEvery) {
      new events.Rule(this, 'Renewal', {
        description: 'Makes Landfall renew its token for the cluster',
        schedule: events.Schedule.rate(props.cluster._renewEvery),
        targets: [new targets.LambdaFunction(this.function, {
          event: events.RuleTargetInput.fromObject({ rotate: true }),
        })],
      });
    }
  }

  /** The function's connections, where it is in a VPC. */
  public get connections(): ec2.Connections {
    return this.function.connections;
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
    if (props.encryptionKey) {
      // Only through the service that keeps the values. The function stores a value when it renews a token.
      const storing = props.cluster._renewEvery ? ['kms:Encrypt', 'kms:GenerateDataKey'] : [];
      this.role.addToPolicy(new iam.PolicyStatement({
        sid: 'UseKeyOfParameters',
        actions: ['kms:Decrypt', ...storing],
        resources: [props.encryptionKey.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `ssm.${cdk.Stack.of(this).region}.${cdk.Aws.URL_SUFFIX}` },
        },
      }));
    }
    if (props.vpc) {
      this.statement('ConnectToVpc', [
        'ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses',
      ]);
    }
  }

  private statement(sid: string, actions: string[]): void {
    this.role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources: ['*'] }));
  }

  private watch(props: LandfallFunctionProps): void {
    const period = cdk.Duration.minutes(5);
    this.alarm(props, 'Errors', this.function.metricErrors({ period }),
      'Landfall ended with an error: it could not report to CodePipeline, could not renew its token, or a deploy '
      + 'without a pipeline failed.');
    this.alarm(props, 'Throttles', this.function.metricThrottles({ period }),
      'Landfall was called but could not start: more deploys at once than its concurrency allows.');
    this.alarm(props, 'Failures', this.metric('Failures', period),
      'A deploy by Landfall failed: the pipeline\'s action says which and why.');
    if (props.cluster._renewEvery) {
      const alarm = new cloudwatch.Alarm(this, 'RenewalAlarm', {
        alarmDescription: 'Landfall\'s token was not renewed for 12 hours; it expires after 24.',
        metric: this.metric('Rotations', cdk.Duration.hours(12)),
        comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold: 1,
        evaluationPeriods: 1,
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      });
      this.tell(props, alarm);
    }
  }

  private alarm(
    props: LandfallFunctionProps, name: string, metric: cloudwatch.IMetric, alarmDescription: string,
  ): void {
    this.tell(props, new cloudwatch.Alarm(this, `${name}Alarm`, {
      alarmDescription,
      metric,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      evaluationPeriods: 1,
      // A time without deploys is no failure.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }));
  }

  private metric(metricName: string, period: cdk.Duration): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'Landfall',
      metricName,
      dimensionsMap: { FunctionName: this.function.functionName },
      statistic: cloudwatch.Stats.SUM,
      period,
    });
  }

  private tell(props: LandfallFunctionProps, alarm: cloudwatch.Alarm): void {
    if (props.alarmTopic) {
      alarm.addAlarmAction(new SnsAction(props.alarmTopic));
    }
  }
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
