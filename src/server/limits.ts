/** What one sender, or all of them, may take of the server. */
export interface ServerLimits {
  /** Of one request, as it comes. */
  readonly maxBodyBytes: number;
  /** Of one request whose envelopes have to be opened, decompressed. */
  readonly maxUnpackedBytes: number;
  /** Of all requests that are held in memory at once. */
  readonly maxBodiesBytes: number;
  /** What is more is closed when it connects. */
  readonly maxConnections: number;
  /** For the head of a request, from when the connection is there; for TLS, for the handshake too. */
  readonly headersMillis: number;
  /** For a whole request, as long as it is read. */
  readonly requestMillis: number;
  /** Between requests. */
  readonly keepAliveMillis: number;
  /** For requests that are under way when the server closes. */
  readonly closeMillis: number;
}

export const SERVER_LIMITS: ServerLimits = {
  // An entry of the collector's log is at most 32 MiB, its head included.
  maxBodyBytes: 33_000_000,
  maxUnpackedBytes: 33_000_000,
  maxBodiesBytes: 134_217_728,
  maxConnections: 12_000,
  headersMillis: 10_000,
  requestMillis: 120_000,
  // Longer than the 60 seconds after which load balancers close: whoever closes last never closes under a request.
  keepAliveMillis: 72_000,
  closeMillis: 10_000,
};
