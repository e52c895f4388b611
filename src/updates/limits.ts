/** Bounds of the hub and of the subscriptions it serves. */
export interface HubLimits {
  /** Entries kept in memory for those who were away shortly. */
  readonly ring: number;
  /** Updates one subscription may have waiting under EVERY before it gets a Gap. */
  readonly waiting: number;
  /** Estimated bytes one subscription may have waiting before it gets a Gap. */
  readonly waitingBytes: number;
  /** Customers one subscription may have waiting under LATEST before it gets a Gap. */
  readonly waitingCustomers: number;
  /** A subscription that was sent nothing for so long gets a Progress frame, milliseconds. */
  readonly progressMs: number;
  /** ... or after so many updates that did not concern it. */
  readonly progressEntries: number;
  /** Revisions all subscriptions together keep in mind after the stream was lost, so as not to tell them again. */
  readonly floors: number;
}

/** The bounds unless told otherwise. */
export const HUB_LIMITS: HubLimits = {
  ring: 4_096,
  waiting: 1_024,
  waitingBytes: 8 * 1_024 * 1_024,
  waitingCustomers: 256,
  progressMs: 30_000,
  progressEntries: 10_000,
  floors: 500_000,
};
