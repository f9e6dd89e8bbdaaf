// Made from docs/parameters.schema.json by tools/parameters.mjs.

/**
 * patch changes the fields named, put replaces the whole object by the manifest.
 */
export enum Method {
  /** `patch` */
  PATCH = 'patch',
  /** `put` */
  PUT = 'put',
}

/**
 * How the new version takes over.
 */
export enum Strategy {
  /** `rolling` */
  ROLLING = 'rolling',
  /** `blueGreen` */
  BLUE_GREEN = 'blueGreen',
  /** `canary` */
  CANARY = 'canary',
  /** `immutable` */
  IMMUTABLE = 'immutable',
}

/**
 * What happens if an alarm rings before the deploy begins.
 */
export enum Ringing {
  /** `refuse` */
  REFUSE = 'refuse',
  /** `ignore` */
  IGNORE = 'ignore',
}

/**
 * plan tells what would change and writes nothing; rollback brings back a version that served
 * before; planRollback tells what that would be.
 */
export enum Mode {
  /** `deploy` */
  DEPLOY = 'deploy',
  /** `plan` */
  PLAN = 'plan',
  /** `rollback` */
  ROLLBACK = 'rollback',
  /** `planRollback` */
  PLAN_ROLLBACK = 'planRollback',
}

/**
 * A form of the parameter `steps`.
 */
export interface CanaryStep {
  /**
   * The share of the traffic, in percent.
   */
  readonly weight: number;

  /**
   * How long the new version is watched with this share. The default is `bake` of the deploy.
   *
   * @default - none
   */
  readonly bake?: string;
}

/**
 * A form of the parameter `steps`.
 */
export interface LinearSteps {
  /**
   * How long each share lasts.
   */
  readonly every: string;

  /**
   * By how much the share grows each time, in percent.
   */
  readonly by: number;
}

/**
 * A form of the parameter `alarms`.
 */
export interface GuardingAlarms {
  /**
   * The names of the alarms.
   */
  readonly names: Array<string>;

  /**
   * What happens if an alarm rings before the deploy begins.
   *
   * @default "refuse"
   */
  readonly ringing?: Ringing;
}

/**
 * A form of the parameter `smoke`.
 */
export interface SmokeTest {
  /**
   * The path that is asked for.
   */
  readonly path: string;

  /**
   * A text that the response must contain.
   *
   * @default - none
   */
  readonly contains?: string;

  /**
   * The name or number of a port of the Service. The default is its first TCP port.
   *
   * @default - none
   */
  readonly port?: string | number;
}

/**
 * A form of the parameter `handover`.
 */
export interface OverlapHandover {
  /**
   * 1s to 1h.
   */
  readonly overlap: string;
}

/**
 * What Landfall is to deploy, and how.
 */
export interface UserParameters {
  /**
   * The Deployment's name; a manifest may name it instead.
   *
   * @default - none
   */
  readonly deployment?: string;

  /**
   * What is deployed, by kind and name as kubectl takes them: a Deployment, a StatefulSet or a
   * DaemonSet. `deployment` is the short form for a Deployment.
   *
   * @default - none
   */
  readonly workload?: string;

  /**
   * Its namespace.
   *
   * @default "default"
   */
  readonly namespace?: string;

  /**
   * The context of the kubeconfig, which the function reads by KUBECONFIG_PARAMETER; refused
   * without a kubeconfig. The default is its current-context.
   *
   * @default - none
   */
  readonly cluster?: string;

  /**
   * Container to image, with manifests also image name (without tag) to image; or the path of
   * an imagedefinitions.json or imageDetail.json in an input artifact, `path` or
   * `Artifact::path`.
   *
   * @default - none
   */
  readonly images?: { [name: string]: string } | string;

  /**
   * Variables of the containers; null removes one.
   *
   * @default - none
   */
  readonly env?: { [name: string]: any };

  /**
   * The one container that gets `env`, or the image of an imageDetail.json.
   *
   * @default - none
   */
  readonly container?: string;

  /**
   * A whole Deployment; or the path of a YAML or JSON file in an input artifact, `path` or
   * `Artifact::path`.
   *
   * @default - none
   */
  readonly manifest?: { [name: string]: any } | string;

  /**
   * The path of a Job's manifest in an input artifact, `path` or `Artifact::path`: it must
   * complete before anything else is written.
   *
   * @default - none
   */
  readonly before?: string;

  /**
   * A release: the path of a file or a folder in an input artifact, a glob, or a list of these,
   * each as `path` or `Artifact::path`. All objects in them are applied together.
   *
   * @default - none
   */
  readonly manifests?: string | Array<string>;

  /**
   * The name of the release: who owns the objects of `manifests`. The default is the name of
   * the only workload in them.
   *
   * @default - none
   */
  readonly release?: string;

  /**
   * Other namespaces that objects of `manifests` may name.
   *
   * @default - none
   */
  readonly namespaces?: Array<string>;

  /**
   * Delete what the release had and no longer has.
   *
   * @default false
   */
  readonly prune?: boolean;

  /**
   * Take over fields of `manifests` that another manager owns.
   *
   * @default false
   */
  readonly force?: boolean;

  /**
   * What fills ${NAME} in the strings of the manifest.
   *
   * @default - none
   */
  readonly variables?: { [name: string]: string };

  /**
   * patch changes the fields named, put replaces the whole object by the manifest.
   *
   * @default - none
   */
  readonly method?: Method;

  /**
   * Roll the pods even where nothing changed.
   *
   * @default false
   */
  readonly restart?: boolean;

  /**
   * How the new version takes over.
   *
   * @default "rolling"
   */
  readonly strategy?: Strategy;

  /**
   * The Service that is switched: for blueGreen, canary and immutable.
   *
   * @default - none
   */
  readonly service?: string;

  /**
   * How long the new version is watched after it serves everything; of blueGreen and immutable
   * the old version is kept as long; of canary it is that of steps without one. The default is
   * 30s for these, 0s for rolling and for a release.
   *
   * @default - none
   */
  readonly bake?: string;

  /**
   * The shares of the traffic, in percent, that the new version gets one after the other: for
   * canary. 100 comes last by itself.
   *
   * @default - none
   */
  readonly steps?: Array<number | CanaryStep> | LinearSteps;

  /**
   * What divides the traffic between the versions: for canary. An HTTPRoute of the Gateway API,
   * or an Ingress of the AWS Load Balancer Controller whose backend is a weighted action;
   * without it the share is that of the pods.
   *
   * @default - none
   */
  readonly route?: string;

  /**
   * CloudWatch alarms, metric or composite, by name: one that rings during the rollout or the
   * bake fails the deploy. With ringing ignore, one that rings already counts only when it
   * rings anew.
   *
   * @default - none
   */
  readonly alarms?: Array<string> | GuardingAlarms;

  /**
   * How many superseded versions stay: for immutable.
   *
   * @default 1
   */
  readonly keep?: number;

  /**
   * What is asked of the new version before the switch.
   *
   * @default - none
   */
  readonly smoke?: string | SmokeTest;

  /**
   * Whether both versions serve for a while, for a load balancer's sake: for blueGreen and
   * immutable.
   *
   * @default - none
   */
  readonly handover?: string | OverlapHandover;

  /**
   * For the whole deploy, 1s to 24h.
   *
   * @default "15m"
   */
  readonly timeout?: string;

  /**
   * How long a state that may pass must last before it is taken for final.
   *
   * @default "30s"
   */
  readonly patience?: string;

  /**
   * On failure bring the previous version back.
   *
   * @default true
   */
  readonly rollback?: boolean;

  /**
   * plan tells what would change and writes nothing; rollback brings back a version that served
   * before; planRollback tells what that would be.
   *
   * @default "deploy"
   */
  readonly mode?: Mode;

  /**
   * What a rollback brings back: the number of a revision or an image; of a release the number
   * of its revision; with blueGreen, canary and immutable a Deployment, its version or its
   * image. By default the version that served before.
   *
   * @default - none
   */
  readonly to?: string | number;

  /**
   * Who deploys.
   *
   * @default - none
   */
  readonly execution?: string;

  /**
   * When what is deployed was committed; the metric LeadTime counts from there.
   *
   * @default - none
   */
  readonly committed?: string;
}
