// A whole pipeline: source, image, plan, approval, deploy. `npx cdk synth --app "node example/app.mjs"`.

import * as cdk from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import * as actions from 'aws-cdk-lib/aws-codepipeline-actions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import landfallCdk from '../lib/index.js';

const { ClusterAccess, LandfallDeployAction, LandfallFunction, Mode } = landfallCdk;

export class ShopPipeline extends cdk.Stack {
  constructor(scope, id, { code, connectionArn, ...props }) {
    super(scope, id, props);
    const landfall = new LandfallFunction(this, 'Landfall', {
      cluster: ClusterAccess.eks('prod'),
      code,
      readsAlarms: true,
    });
    const source = new codepipeline.Artifact('Source');
    const checkout = new actions.CodeStarConnectionsSourceAction({
      actionName: 'Checkout', connectionArn, owner: 'example', repo: 'shop', branch: 'main',
      output: source, variablesNamespace: 'Source',
    });
    const build = new actions.CodeBuildAction({
      actionName: 'Image', input: source, variablesNamespace: 'Build',
      project: new codebuild.PipelineProject(this, 'Image', {
        environment: { buildImage: codebuild.LinuxBuildImage.STANDARD_7_0, privileged: true },
        buildSpec: codebuild.BuildSpec.fromSourceFilename('buildspec.yml'),
      }),
    });
    const release = {
      namespace: 'shop',
      release: 'shop',
      manifests: 'Source::k8s',
      images: { 'registry.example.com/web': build.variable('IMAGE_URI') },
      prune: true,
    };
    const action = (actionName, runOrder, extra) => new LandfallDeployAction({
      actionName, runOrder, function: landfall.function, inputs: [source],
      parameters: { ...release, ...extra },
    });
    new codepipeline.Pipeline(this, 'Pipeline', {
      pipelineType: codepipeline.PipelineType.V2,
      stages: [
        { stageName: 'Source', actions: [checkout] },
        { stageName: 'Build', actions: [build] },
        {
          stageName: 'Deploy',
          actions: [
            action('Plan', 1, { mode: Mode.PLAN }),
            new actions.ManualApprovalAction({ actionName: 'Approve', runOrder: 2 }),
            action('Kubernetes', 3, {
              alarms: ['web-5xx'], bake: '5m', committed: checkout.variables.authorDate,
            }),
          ],
        },
      ],
    });
  }
}

const app = new cdk.App();
new ShopPipeline(app, 'ShopPipeline', {
  code: lambda.Code.fromAsset(process.env.LANDFALL_ZIP ?? 'landfall-x86_64.zip'),
  connectionArn: 'arn:aws:codeconnections:eu-central-1:111122223333:connection/example',
});
app.synth();
