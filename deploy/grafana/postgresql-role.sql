-- The role of Grafana's data source, for psql -v password=… -f postgresql-role.sql in the database of centripush, as
-- the owner of the tables. It reads analytics and reports, and neither devices nor tokens nor texts of pushes.
create role grafana login password :'password';
grant select on notifications, notification_attempts, notification_counts, push_reports to grafana;
grant select (uid, request_hash, accepted_at, ended_at, counts, delivered, interacted) on push_sends to grafana;
alter role grafana set statement_timeout = '30s';
alter role grafana set default_transaction_read_only = on;
