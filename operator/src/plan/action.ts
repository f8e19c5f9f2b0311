import type { ClusterStatus } from '../api/status.ts';
import type { LedgerEntry, MongoMember } from './observed.ts';
import type { KubeObject, ObjectRef } from './kube.ts';

/** A key of a Secret that is made once, at random, and never changed by the operator. */
export interface GeneratedKey {
  readonly name: string;
  /** How many random bytes. */
  readonly bytes: number;
  /** How they are written: `base64` fits a MongoDB keyfile, `base64url` an address, `uuid` a Kafka cluster id (base64url of 16 bytes). */
  readonly form: 'base64' | 'base64url' | 'uuid';
}

/** A key of one Secret whose value becomes that of a key of another one. */
export interface CopiedKey {
  readonly from: string;
  readonly to: string;
}

/** Values of one Secret that are written into another one. */
export interface SecretPatch {
  /** The Secret that is changed. */
  readonly ref: ObjectRef;
  /** The name of the Secret that the values come from. */
  readonly from: string;
  readonly keys: readonly CopiedKey[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A user of MongoDB, and where its password is. */
export interface MongoUser {
  readonly name: string;
  /** The Secret and its key with the password. */
  readonly secret: { readonly name: string; readonly key: string };
  /** Roles as `createUser` takes them; each with the database that it holds in. */
  readonly roles: readonly { readonly role: string; readonly db: string }[];
}

/** How the managed replica set is reached. */
export interface MongoAddress {
  readonly setName: string;
  /** The id of the set that is meant; null: none is known yet. */
  readonly setId: string | null;
  /** `host:port` of every member that is or should be. */
  readonly hosts: readonly string[];
  /** The Secret and its key with the keyfile: the password of `__system`. */
  readonly keyfile: { readonly name: string; readonly key: string };
}

/** A user of Kafka, and where its password is. */
export interface KafkaUser {
  readonly name: string;
  /** The Secret and its key with the password. */
  readonly secret: { readonly name: string; readonly key: string };
}

/** How the managed brokers are reached, and as whom. */
export interface KafkaAddress {
  /** `host:port` of every broker that should be. */
  readonly hosts: readonly string[];
  readonly user: string;
  readonly secret: { readonly name: string; readonly key: string };
}

/** One thing to do. `why` is what logs, events and people are told. */
export type Action =
  /**
   * Server-side apply by `hashcluster-operator`, forced, on the object with that uid; without one, the object is created.
   * An object that exists and has another controller, or none, is refused.
   */
  | {
      readonly kind: 'apply';
      readonly object: KubeObject;
      /** Of the live object. */
      readonly uid?: string;
      /** Paths that differ from the live object, for people; absent: there is no live object. */
      readonly fields?: string;
      readonly why: string;
    }
  /** Delete, on condition of the uid; children follow in the background. */
  | { readonly kind: 'delete'; readonly ref: ObjectRef; readonly why: string }
  /** Server-side apply on `/scale` by `hashcluster-scaler`, forced. Without a uid, whose it is is looked up before. */
  | { readonly kind: 'scale'; readonly ref: ObjectRef; readonly replicas: number; readonly why: string }
  /** Merge patch of `metadata.annotations`; null takes one away. */
  | {
      readonly kind: 'annotate';
      readonly ref: ObjectRef;
      readonly annotations: Readonly<Record<string, string | null>>;
      readonly why: string;
    }
  /** The eviction API; the pod is read again before, and whose it is. */
  | { readonly kind: 'evict'; readonly ref: ObjectRef; readonly why: string }
  /** Makes a Secret with random values, once: one that is there already stays as it is; one without our labels is refused. */
  | {
      readonly kind: 'createSecret';
      /** Without `data`: metadata and type. */
      readonly object: KubeObject;
      readonly keys: readonly GeneratedKey[];
      readonly why: string;
    }
  /** Makes a Secret with values of another one, once; one of somebody else is refused. */
  | {
      readonly kind: 'copySecret';
      /** Without `data`: metadata and type. */
      readonly object: KubeObject;
      readonly from: string;
      readonly keys: readonly CopiedKey[];
      readonly why: string;
    }
  /** Merge patch of `data` of a Secret, on condition of the uid. */
  | (SecretPatch & { readonly kind: 'patchSecret'; readonly why: string })
  /** An Event on the HashCluster; equal ones are counted, not repeated. */
  | {
      readonly kind: 'event';
      readonly type: 'Normal' | 'Warning';
      /** One word in CamelCase. */
      readonly reason: string;
      readonly message: string;
    }
  /** `replSetInitiate`, as `__system` with the keyfile, on the first host. */
  | {
      readonly kind: 'initiateMongo';
      readonly address: MongoAddress;
      readonly members: readonly MongoMember[];
      readonly why: string;
    }
  /** `replSetReconfig` from the version that was seen: a member more, or less, never two at once. */
  | {
      readonly kind: 'reconfigureMongo';
      readonly address: MongoAddress;
      readonly fromVersion: number;
      readonly members: readonly MongoMember[];
      readonly why: string;
    }
  /** The primary steps down, and those named in `freeze` do not stand for election meanwhile. */
  | {
      readonly kind: 'stepDownMongo';
      readonly address: MongoAddress;
      readonly from: string;
      readonly freeze: readonly string[];
      readonly why: string;
    }
  /** A primary of another replica set steps down and stays down, so that no client takes it for ours. */
  | {
      readonly kind: 'fenceMongo';
      readonly address: MongoAddress;
      readonly host: string;
      readonly why: string;
    }
  /** Creates users, or sets their roles and passwords. */
  | {
      readonly kind: 'ensureMongoUsers';
      readonly address: MongoAddress;
      readonly users: readonly MongoUser[];
      readonly why: string;
    }
  /** Gives users new passwords, and notes in a Secret that they have them. */
  | {
      readonly kind: 'rotateMongoUsers';
      readonly address: MongoAddress;
      readonly users: readonly MongoUser[];
      readonly applied: SecretPatch;
      readonly why: string;
    }
  /** Drops users that no pod uses any more; those that are gone are passed over. */
  | {
      readonly kind: 'dropMongoUsers';
      readonly address: MongoAddress;
      readonly names: readonly string[];
      readonly why: string;
    }
  /** Gives users of Kafka new passwords (SCRAM), and notes in a Secret that they have them. */
  | {
      readonly kind: 'rotateKafkaUsers';
      readonly address: KafkaAddress;
      readonly users: readonly KafkaUser[];
      readonly applied: SecretPatch;
      readonly why: string;
    }
  /** Drops users of Kafka that no pod uses any more, and takes annotations of a Secret away; users that are gone are passed over. */
  | {
      readonly kind: 'dropKafkaUsers';
      readonly address: KafkaAddress;
      readonly names: readonly string[];
      readonly applied: {
        readonly ref: ObjectRef;
        readonly annotations: Readonly<Record<string, string | null>>;
      };
      readonly why: string;
    }
  /** Puts our finalizer on the HashCluster, or takes it away. */
  | { readonly kind: 'finalizer'; readonly change: 'add' | 'remove'; readonly why: string }
  /** Merge patch of `spec.resources.requests.storage` of a PersistentVolumeClaim, and of when it was asked for: RFC 3339. */
  | {
      readonly kind: 'expandVolume';
      readonly ref: ObjectRef;
      readonly storage: string;
      readonly why: string;
      readonly at?: string;
    }
  /** What the reconciler notes down for later plans. */
  | { readonly kind: 'remember'; readonly entry: LedgerEntry; readonly why: string }
  /** Replaces the status, by server-side apply of `/status`. */
  | { readonly kind: 'status'; readonly status: ClusterStatus; readonly why: string };

/** The kinds of action. */
export type ActionKind = Action['kind'];

/** The action of one kind. */
export type ActionOf<K extends ActionKind> = Extract<Action, { readonly kind: K }>;

/** Names an action in the status: what it acts on, or its kind where that is the HashCluster itself. */
export function actionRef(action: Action): string {
  if ('object' in action) return `${action.object.kind} ${action.object.metadata.name}`;
  if ('ref' in action) return `${action.ref.kind} ${action.ref.name}`;
  return action.kind;
}

/** What to do now, in this order, and when to look again although nothing has changed. */
export interface Plan {
  readonly actions: readonly Action[];
  /** Writes that wait, because their fields are changed back each time. */
  readonly held: readonly Action[];
  /** Milliseconds; null: when something changes, or at the next round. */
  readonly recheckMs: number | null;
}
