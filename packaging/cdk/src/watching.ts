import * as cdk from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { _dashboard, _filled, _shared } from './shared';

/**
 * What the alarms and the dashboard are about.
 * @internal
 */
export interface _Watched {
  /** The function's name. */
  readonly name: string;
  /** The name of its log group. */
  readonly logGroup: string;
  /** The rule that makes it renew its token. */
  readonly renewal?: events.Rule;
}

/**
 * The alarms of the CloudFormation template, in the order in which the dashboard shows them.
 * @internal
 */
export function _alarms(scope: Construct, of: _Watched, topic?: sns.ITopic): cloudwatch.Alarm[] {
  const wanted = _shared.alarms.filter((alarm) => of.renewal || !alarm.of_renewal);
  return wanted.map((wish) => {
    const alarm = new cloudwatch.Alarm(scope, `${wish.name[0].toUpperCase()}${wish.name.slice(1)}Alarm`, {
      alarmDescription: _filled(wish.description, {
        function: of.name, log_group: of.logGroup, renewal_rule: of.renewal?.ruleName ?? '',
      }),
      metric: new cloudwatch.Metric({
        namespace: wish.namespace,
        metricName: wish.metric,
        dimensionsMap: { FunctionName: of.name },
        statistic: wish.statistic,
        period: cdk.Duration.seconds(wish.period),
      }),
      comparisonOperator: wish.comparison as cloudwatch.ComparisonOperator,
      threshold: wish.threshold,
      evaluationPeriods: wish.periods,
      treatMissingData: wish.missing as cloudwatch.TreatMissingData,
    });
    if (topic && wish.tells === 'ALARM') {
      alarm.addAlarmAction(new SnsAction(topic));
    } else if (topic) {
      alarm.addInsufficientDataAction(new SnsAction(topic));
    }
    return alarm;
  });
}

/**
 * The dashboard of the CloudFormation template.
 * @internal
 */
export function _board(scope: Construct, of: _Watched, alarms: cloudwatch.Alarm[]): void {
  new cloudwatch.CfnDashboard(scope, 'Dashboard', {
    dashboardBody: _filled(_dashboard, {
      'function': of.name,
      'log_group': of.logGroup,
      'region': cdk.Stack.of(scope).region,
      'jsonencode(alarms)': JSON.stringify(alarms.map((alarm) => alarm.alarmArn)),
    }),
  });
}

/**
 * A topic for Amazon Q Developer in chat applications, with what failed in these pipelines.
 * @internal
 */
export function _chat(scope: Construct, pipelines: string[]): sns.Topic {
  const topic = new sns.Topic(scope, 'Chat', { displayName: 'Failed deploys by Landfall' });
  const rules = Object.entries(_shared.chat).map(([name, rule]) => new events.CfnRule(scope, `Chat-${name}`, {
    description: rule.description,
    eventPattern: { ...rule.pattern, detail: { ...rule.pattern.detail, pipeline: pipelines } },
    targets: [{
      id: 'chat',
      arn: topic.topicArn,
      inputTransformer: { inputPathsMap: rule.paths, inputTemplate: rule.template },
    }],
  }));
  topic.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'OnlyTheseRules',
    principals: [new iam.ServicePrincipal('events.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: { ArnEquals: { 'aws:SourceArn': rules.map((rule) => rule.attrArn) } },
  }));
  return topic;
}
