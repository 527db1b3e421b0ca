/** The configuration of the chat's Centrifugo node. */
export interface NodeConfigOptions {
  port: number
  apiKey: string
  tokenSecret: string
  proxyKey: string
  /** The URL of centripush's endpoint for the RPC proxy. */
  proxyEndpoint: string
  chatOrigin: string
}

/** Makes the content of a Centrifugo 6 configuration file. */
export function makeNodeConfig(options: NodeConfigOptions): object {
  return {
    http_server: { address: '127.0.0.1', port: options.port },
    http_api: { key: options.apiKey },
    health: { enabled: true },
    client: {
      allowed_origins: [options.chatOrigin],
      token: { hmac_secret_key: options.tokenSecret },
      concurrency: 8,
    },
    channel: { without_namespace: { presence: true, allow_subscribe_for_client: true } },
    proxies: [
      {
        name: 'centripush',
        endpoint: options.proxyEndpoint,
        timeout: '3s',
        http: { static_headers: { 'X-Centripush-Proxy-Key': options.proxyKey } },
      },
    ],
    rpc: { namespaces: [{ name: 'push', proxy_enabled: true, proxy_name: 'centripush' }] },
  }
}
