/** What the servers of the bus say of themselves. */
export interface BusReport {
  /** Ids of the brokers that live. */
  readonly brokers: readonly number[];
  /** The fullest disk of each broker that tells of its disks. Bytes. */
  readonly disks: readonly { readonly broker: number; readonly used: number; readonly total: number }[];
}

/** The servers behind a bus, for whoever watches over them. No job depends on what they say. */
export interface BusServers {
  /** Rejects within some seconds when they do not answer, or may not be asked. */
  report(): Promise<BusReport>;
}
