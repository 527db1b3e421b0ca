// The options of Centrifugo v6, open source and PRO, by section: names that a configuration of Centrifugo may have.
// Source: https://centrifugal.dev/docs/server/configuration, /docs/pro and the output of `centrifugo defaultconfig` of
// v6.9. Options that centripush reads too are in the list as well: the schema decides first. A configuration with an
// option that is in neither is refused, so new options of Centrifugo are added here.

const TLS = 'enabled cert_pem key_pem server_ca_pem client_ca_pem insecure_skip_verify server_name'

/** The options of every connection to Redis. */
const REDIS =
  'prefix address connect_timeout io_timeout db user password client_name force_resp2 cluster_address tls ' +
  'sentinel_address sentinel_user sentinel_password sentinel_master_name sentinel_client_name sentinel_tls ' +
  'replica_client'

/** The options of every proxy. */
const PROXY =
  'enabled endpoint timeout http_headers grpc_metadata emulated_headers binary_encoding include_connection_meta ' +
  'http grpc'

const TOKEN =
  'hmac_secret_key hmac_previous_secret_key hmac_previous_secret_key_valid_until rsa_public_key ' +
  'ecdsa_public_key jwks_public_endpoint audience audience_regex issuer issuer_regex user_id_claim ' +
  'insecure_skip_jwks_endpoint_safety_check jwks labels_from_claim meta_from_claim'

const EXPORT = 'enabled max_buffer_size flush_interval flush_size ttl'

/**
 * The names of the options and sections in each section, separated by spaces. The key is the path of the section, empty
 * for the top. A section that is named here but has no entry of its own may contain anything.
 */
export const CENTRIFUGO_OPTIONS: Readonly<Record<string, string>> = {
  '':
    'http_server log engine broker presence_manager map_broker controller shared_poll client channel rpc ' +
    'proxies http_api grpc_api consumers websocket sse http_stream webtransport uni_sse uni_http_stream ' +
    'uni_websocket uni_grpc emulation admin prometheus health swagger debug init opentelemetry graphite ' +
    'usage_stats node shutdown pid_file enable_unreleased_features license database push_notifications ' +
    'clickhouse_analytics brokers presence_managers map_brokers cache state user_status user_block ' +
    'user_tokens_invalidate token_revoke singleflight distributed_rate_limit sentry schemas shared_poll_relay',
  http_server:
    'address port internal_address internal_port tls tls_autocert tls_external internal_tls http3 h2c_external',
  'http_server.tls_autocert': 'enabled host_whitelist cache_dir email server_name http http_addr',
  log: 'level file',
  engine: 'type redis',
  'engine.redis':
    `${REDIS} ` +
    'history_use_lists presence_ttl presence_hash_field_ttl presence_user_mapping channel_state ' +
    'group_sharded_pub_sub_by_node presence_read_from_replica sharded_pub_sub_partitions subscribe_on_replica ' +
    'use_precomputed_partition_tags',
  broker: 'enabled type redis nats postgres redisnats',
  'broker.nats': 'prefix url dial_timeout write_timeout tls allow_wildcards raw_mode',
  presence_manager: 'enabled type redis',
  map_broker: 'type redis postgres cache',
  controller: 'enabled type postgres nats redis',
  shared_poll:
    'hmac_secret_key hmac_previous_secret_key hmac_previous_secret_key_valid_until concurrency_limit notification',
  client:
    'proxy allowed_origins token subscription_token allow_anonymous_connect_without_token ' +
    'disallow_anonymous_connection_tokens ping_interval pong_timeout expired_close_delay ' +
    'expired_sub_close_delay stale_close_delay channel_limit queue_max_size presence_update_interval ' +
    'concurrency channel_position_check_delay channel_position_max_time_lag connection_limit ' +
    'user_connection_limit connection_rate_limit connect_include_server_time history_max_publication_limit ' +
    'recovery_max_publication_limit insecure_skip_token_signature_verify user_id_http_header insecure ' +
    'subscribe_to_user_personal_channel connect_code_to_unidirectional_disconnect rate_limit write_delay ' +
    'write_with_timer reply_without_queue max_messages_in_frame queue_initial_cap queue_shrink_delay ' +
    'batch_periodic_events',
  'client.token': TOKEN,
  'client.subscription_token': `enabled ${TOKEN}`,
  'client.subscribe_to_user_personal_channel': 'enabled personal_channel_namespace single_connection',
  'client.connect_code_to_unidirectional_disconnect': 'enabled transforms',
  'client.proxy': 'connect refresh',
  channel:
    'proxy without_namespace namespaces history_meta_ttl publication_data_format max_length private_prefix ' +
    'namespace_boundary user_boundary user_separator patterns',
  'channel.proxy':
    'subscribe publish sub_refresh subscribe_stream map_publish map_remove shared_poll_refresh cache_empty state',
  'channel.without_namespace':
    'presence join_leave force_push_join_leave map_clients_presence_channel_prefix ' +
    'map_users_presence_channel_prefix history_size history_ttl history_meta_ttl force_positioning ' +
    'allow_positioning force_recovery allow_recovery force_recovery_mode auto_cache_recover allowed_delta_types ' +
    'allow_tags_filter delta_publish allow_subscribe_for_anonymous allow_subscribe_for_client ' +
    'allow_publish_for_anonymous allow_publish_for_subscriber allow_publish_for_client ' +
    'allow_presence_for_anonymous allow_presence_for_subscriber allow_presence_for_client ' +
    'allow_history_for_anonymous allow_history_for_subscriber allow_history_for_client ' +
    'allow_user_limited_channels channel_regex publication_data_format subscribe_proxy_enabled ' +
    'subscribe_proxy_name publish_proxy_enabled publish_proxy_name sub_refresh_proxy_enabled ' +
    'sub_refresh_proxy_name subscribe_stream_proxy_enabled subscribe_stream_proxy_name ' +
    'subscribe_stream_proxy_bidirectional subscription_type map shared_poll subscribe_cel publish_cel ' +
    'presence_cel history_cel batch_max_size batch_max_delay keep_latest_publication shared_position_sync ' +
    'state_events cache_empty_proxy_enabled cache_empty_proxy_name broker_name presence_manager_name ' +
    'client_publication',
  rpc: 'proxy without_namespace namespaces ping namespace_boundary',
  'rpc.ping': 'enabled method',
  'rpc.without_namespace': 'proxy_enabled proxy_name',
  http_api: 'disabled handler_prefix key error_mode external insecure jwks',
  grpc_api: 'enabled error_mode address port key tls reflection max_receive_message_size jwks',
  websocket:
    'disabled handler_prefix compression compression_min_size compression_level read_buffer_size ' +
    'use_write_buffer_pool write_buffer_size write_timeout message_size_limit decompressed_message_size_limit ' +
    'compression_prepared_message_cache_size process_commands_off_read_loop',
  sse: 'enabled handler_prefix max_request_body_size',
  http_stream: 'enabled handler_prefix max_request_body_size',
  webtransport: 'enabled handler_prefix message_size_limit',
  uni_sse: 'enabled handler_prefix max_request_body_size connect_code_to_http_response',
  uni_http_stream: 'enabled handler_prefix max_request_body_size connect_code_to_http_response',
  uni_websocket:
    'enabled handler_prefix compression compression_min_size compression_level read_buffer_size ' +
    'use_write_buffer_pool write_buffer_size write_timeout message_size_limit decompressed_message_size_limit ' +
    'disable_closing_handshake disable_disconnect_push join_push_messages',
  uni_grpc: 'enabled address port max_receive_message_size tls',
  emulation: 'handler_prefix max_request_body_size',
  admin: 'enabled handler_prefix password secret insecure web_path web_proxy_address external oidc api_key',
  prometheus:
    'enabled handler_prefix instrument_http_handlers recovered_publications_histogram native_histograms ' +
    'additional_client_names channel_namespace_resolution channel_namespace_for_transport_messages_sent ' +
    'channel_namespace_for_transport_messages_received client_labels expose_transport_accept_protocol',
  health: 'enabled handler_prefix',
  swagger: 'enabled handler_prefix',
  debug: 'enabled handler_prefix',
  init: 'enabled handler_prefix',
  opentelemetry: 'enabled api consuming google_cloud_adc_auth metrics resource_detectors',
  graphite: 'enabled host port prefix interval tags',
  usage_stats: 'disabled',
  node: 'name info_metrics_aggregate_interval',
  shutdown: 'timeout',
  'http_server.tls': TLS,
  'http_server.internal_tls': TLS,
  'http_server.http3': 'enabled',
  'engine.redis.tls': TLS,
  'engine.redis.sentinel_tls': TLS,
  'broker.redis': REDIS,
  'client.proxy.connect': PROXY,
  'client.proxy.refresh': PROXY,
  'channel.proxy.subscribe': PROXY,
  'channel.proxy.publish': PROXY,
  'channel.proxy.sub_refresh': PROXY,
  'channel.proxy.subscribe_stream': PROXY,
  'channel.proxy.cache_empty': PROXY,
  'channel.proxy.state': PROXY,
  'rpc.proxy': PROXY,
  'grpc_api.tls': TLS,
  'uni_grpc.tls': TLS,
  database: 'enabled postgresql',
  'database.postgresql': 'dsn replica_dsn',
  push_notifications:
    'enabled enabled_providers dry_run dry_run_latency max_inactive_device_interval read_from_replica queue fcm hms ' +
    'apns webpush enable_client_cancel_push use_redis_legacy_reclaim',
  'push_notifications.queue': 'type redis postgresql',
  'push_notifications.queue.redis': `${REDIS} reuse_from_engine consumer_concurrency max_stream_length`,
  'push_notifications.queue.redis.tls': TLS,
  'push_notifications.queue.redis.sentinel_tls': TLS,
  'push_notifications.queue.postgresql':
    'dsn reuse_from_database consumer_concurrency scheduler_consumer_concurrency prefix',
  clickhouse_analytics:
    'enabled clickhouse_dsn clickhouse_database clickhouse_cluster skip_schema_initialization skip_ping_on_start tls ' +
    'export snapshots',
  'clickhouse_analytics.tls': TLS,
  'clickhouse_analytics.export': 'connections subscriptions operations publications notifications',
  'clickhouse_analytics.export.connections': `http_headers grpc_metadata ${EXPORT}`,
  'clickhouse_analytics.export.subscriptions': EXPORT,
  'clickhouse_analytics.export.operations': EXPORT,
  'clickhouse_analytics.export.publications': EXPORT,
  'clickhouse_analytics.export.notifications': EXPORT,
  cache: 'enabled storage_type redis',
  singleflight: 'enabled',
  state: 'num_presence_partitions vacated_event_delay',
}
