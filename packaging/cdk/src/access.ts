import * as cdk from 'aws-cdk-lib';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

/** The Kubernetes group to which `deploy/rbac.yaml` gives its permissions. */
const GROUP = 'landfall';

/** The path by which Parameter Store reads a secret of Secrets Manager. */
const SECRETS = '/aws/reference/secretsmanager/';

/** How the function is let into an EKS cluster by IAM. */
export interface EksAccessOptions {
  /**
   * Whether the stack makes the function's role a member of the Kubernetes group `landfall`, by an
   * access entry. EKS allows one entry for each role, in the cluster's own account and Region, and
   * only where its authentication mode is `API` or `API_AND_CONFIG_MAP`.
   *
   * @default - true for a cluster that is given by its name and without `role`
   */
  readonly accessEntry?: boolean;

  /**
   * A role that the function assumes first, for a cluster in another account. This role then needs
   * the access entry and `eks:DescribeCluster`, and must trust the function's role.
   *
   * @default - the function's own role
   */
  readonly role?: iam.IRole;

  /**
   * The external id that the trust policy of `role` asks for.
   *
   * @default - none
   */
  readonly externalId?: string;
}

/** How the function is let into the clusters of a kubeconfig. */
export interface KubeconfigAccessOptions {
  /**
   * Roles that the kubeconfig's users assume (`--role` or `--role-arn` of their exec commands).
   *
   * @default - none
   */
  readonly roles?: iam.IRole[];
}

/** How the function is let into a cluster by a bearer token. */
export interface TokenAccessOptions {
  /** The API server's URL, `https://host[:port]` without a path. */
  readonly url: string;

  /** The parameter with the bearer token. */
  readonly token: ssm.IParameter;

  /**
   * The parameter with the cluster's CA in PEM.
   *
   * @default - `ca`, or the public root certificates
   */
  readonly caParameter?: ssm.IParameter;

  /**
   * The cluster's CA itself, in PEM or base64 of PEM.
   *
   * @default - `caParameter`, or the public root certificates
   */
  readonly ca?: string;

  /**
   * How often the function renews its token, which the cluster must allow (`deploy/rbac-rotation.yaml`).
   * A token lives for 24 hours: at most every 8 hours.
   *
   * @default - the token is not renewed
   */
  readonly renewEvery?: cdk.Duration;
}

/** How the function is let into its cluster: one of these ways. */
export abstract class ClusterAccess {
  /**
   * An EKS cluster by its name, or by its ARN where it is in another account or Region. The function's
   * own IAM role is let in; nothing is stored.
   */
  public static eks(cluster: string, options: EksAccessOptions = {}): ClusterAccess {
    return new EksAccess(cluster, options);
  }

  /** The clusters of a kubeconfig in Parameter Store; the user parameter `cluster` chooses the context. */
  public static kubeconfig(parameter: ssm.IParameter, options: KubeconfigAccessOptions = {}): ClusterAccess {
    return new KubeconfigAccess(parameter, undefined, options);
  }

  /** The clusters of a kubeconfig in Secrets Manager. */
  public static kubeconfigSecret(
    secret: secretsmanager.ISecret, options: KubeconfigAccessOptions = {},
  ): ClusterAccess {
    return new KubeconfigAccess(undefined, secret, options);
  }

  /** Any cluster by a bearer token in Parameter Store. */
  public static token(options: TokenAccessOptions): ClusterAccess {
    return new TokenAccess(options);
  }

  /**
   * How often the token is renewed, where it is.
   * @internal
   */
  public _renewEvery?: cdk.Duration;

  /**
   * Gives the role what it needs, and answers with the function's environment. `key` encrypts what is
   * stored.
   * @internal
   */
  public abstract _bind(scope: Construct, role: iam.Role, key?: kms.IKey): { [name: string]: string };
}

class EksAccess extends ClusterAccess {
  constructor(private readonly cluster: string, private readonly options: EksAccessOptions) {
    super();
    if (options.externalId && !options.role) {
      throw new Error('externalId is set without role, which asks for it');
    }
    if (options.accessEntry && options.role) {
      throw new Error('accessEntry is only for the function\'s own role: create that of role in its account');
    }
    if (options.accessEntry && this.hasArn) {
      throw new Error('accessEntry needs the name of a cluster in this account and Region, not an ARN');
    }
  }

  public _bind(scope: Construct, role: iam.Role): { [name: string]: string } {
    const environment: { [name: string]: string } = { EKS_CLUSTER: this.cluster };
    if (this.options.role) {
      this.options.role.grantAssumeRole(role);
      environment.EKS_ROLE = this.options.role.roleArn;
      if (this.options.externalId) {
        environment.EKS_EXTERNAL_ID = this.options.externalId;
      }
      return environment;
    }
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'DescribeCluster',
      actions: ['eks:DescribeCluster'],
      resources: [this.hasArn ? this.cluster : cdk.Stack.of(scope).formatArn({
        service: 'eks', resource: 'cluster', resourceName: this.cluster,
      })],
    }));
    if (this.options.accessEntry ?? !this.hasArn) {
      new eks.CfnAccessEntry(scope, 'AccessEntry', {
        clusterName: this.cluster,
        principalArn: role.roleArn,
        kubernetesGroups: [GROUP],
      });
    }
    return environment;
  }

  private get hasArn(): boolean {
    return this.cluster.startsWith('arn:');
  }
}

class KubeconfigAccess extends ClusterAccess {
  constructor(
    private readonly parameter: ssm.IParameter | undefined,
    private readonly secret: secretsmanager.ISecret | undefined,
    private readonly options: KubeconfigAccessOptions,
  ) {
    super();
  }

  public _bind(scope: Construct, role: iam.Role, key?: kms.IKey): { [name: string]: string } {
    for (const user of this.options.roles ?? []) {
      user.grantAssumeRole(role);
    }
    if (this.parameter) {
      allowReading(role, 'ReadKubeconfig', [this.parameter], key);
      return { KUBECONFIG_PARAMETER: this.parameter.parameterName };
    }
    // Parameter Store reads the secret in the caller's name: both have to allow it. Not `grantRead`:
    // that allows more calls, and the key for every secret. An ARN without the six random characters
    // at its end stands for any.
    const secret = this.secret!;
    const name = secret.secretName;
    const arn = secret.secretFullArn ?? `${secret.secretArn}-??????`;
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'ReadKubeconfig',
      actions: ['ssm:GetParameters'],
      resources: [cdk.Stack.of(scope).formatArn({
        service: 'ssm', resource: `parameter${SECRETS}${name}`,
      })],
    }));
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'ReadSecretOfKubeconfig',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [arn],
    }));
    const itsKey = secret.encryptionKey ?? key;
    if (itsKey) {
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'DecryptKubeconfig',
        actions: ['kms:Decrypt'],
        resources: [itsKey.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': service(role, 'secretsmanager') },
          StringLike: { 'kms:EncryptionContext:SecretARN': arn },
        },
      }));
    }
    return { KUBECONFIG_PARAMETER: `${SECRETS}${name}` };
  }
}

class TokenAccess extends ClusterAccess {
  constructor(private readonly options: TokenAccessOptions) {
    super();
    this._renewEvery = options.renewEvery;
    if (options.ca && options.caParameter) {
      throw new Error('ca and caParameter are both set: set only one of them');
    }
    if (!cdk.Token.isUnresolved(options.url) && !options.url.startsWith('https://')) {
      throw new Error(`url must begin with https://: anything else would expose the token`);
    }
    if (options.renewEvery && options.renewEvery.toHours({ integral: false }) > 8) {
      throw new Error('renewEvery may be 8 hours at most: a token lives for 24, and two renewals may fail');
    }
  }

  public _bind(_scope: Construct, role: iam.Role, key?: kms.IKey): { [name: string]: string } {
    const { token, ca, caParameter } = this.options;
    allowReading(role, 'ReadTokenAndCa', caParameter ? [token, caParameter] : [token], key);
    if (this.options.renewEvery) {
      role.addToPolicy(new iam.PolicyStatement({
        sid: 'StoreRenewedToken',
        actions: ['ssm:GetParameterHistory', 'ssm:PutParameter'],
        resources: [token.parameterArn],
      }));
      if (key) {
        // Encrypt is for a standard parameter, GenerateDataKey for an advanced one.
        allowKey(role, 'EncryptRenewedToken', key, ['kms:Encrypt', 'kms:GenerateDataKey'], [token]);
      }
    }
    return {
      K8S_CLUSTER: this.options.url,
      K8S_TOKEN_PARAMETER: token.parameterName,
      ...caParameter && { K8S_CA_PARAMETER: caParameter.parameterName },
      ...ca && { K8S_CA: ca },
    };
  }
}

/** Not `grantRead`: that allows more calls than the one that the function makes. */
function allowReading(role: iam.Role, sid: string, parameters: ssm.IParameter[], key?: kms.IKey): void {
  role.addToPolicy(new iam.PolicyStatement({
    sid,
    actions: ['ssm:GetParameters'],
    resources: parameters.map((parameter) => parameter.parameterArn),
  }));
  if (key) {
    allowKey(role, 'DecryptParameters', key, ['kms:Decrypt'], parameters);
  }
}

/** Only through Parameter Store, and only for values of these parameters. */
function allowKey(role: iam.Role, sid: string, key: kms.IKey, actions: string[], parameters: ssm.IParameter[]): void {
  role.addToPolicy(new iam.PolicyStatement({
    sid,
    actions,
    resources: [key.keyArn],
    conditions: {
      StringEquals: {
        'kms:ViaService': service(role, 'ssm'),
        'kms:EncryptionContext:PARAMETER_ARN': parameters.map((parameter) => parameter.parameterArn),
      },
    },
  }));
}

/** How KMS knows a service of this Region. */
function service(scope: Construct, name: string): string {
  return `${name}.${cdk.Stack.of(scope).region}.${cdk.Aws.URL_SUFFIX}`;
}
