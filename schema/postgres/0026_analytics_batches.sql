-- PostgreSQL knows the batches of analytics that it has by their tokens. A process that takes over the batches of a
-- killed one has them only, and in no order, so the number of the last batch of a process does not tell whether one of
-- them was stored. The processes of earlier builds are stopped, so no batch of theirs is stored again.
alter table notification_writers rename to notification_batches;
alter table notification_batches drop column batch;
alter table notification_batches rename column id to token;
alter index notification_writers_pkey rename to notification_batches_pkey;
