-- Pages that the worker which reads them takes for itself, where the send allows it: of them and their batches only the range
-- of devices is kept. What a worker that died leaves of them is read again from the devices, and written as other batches are.

-- Where such a send's walk is; the row goes when its last page is taken. Apart from push_sends, whose row every
-- acknowledgement holds until it is on disk.
create table push_walks (
  uid text primary key references push_sends on delete cascade,
  cursor text,
  claimable_at timestamptz not null,
  fence bigint not null default 0,
  -- How many were taken. They are added to the send's open_batches with the last one; each that is opened takes one off.
  pages integer not null default 0
) with (fillfactor = 50);

create index push_walks_claimable on push_walks (claimable_at);

-- Pages that are being read: a few, so they have no index; a worker that is not there any more may be late with one of a send
-- that is forgotten.
create table push_pages (
  id bigint generated always as identity primary key,
  uid text not null,
  -- The devices after one (null: from the first) and up to another (null: to the last).
  range_after text,
  range_until text,
  claimable_at timestamptz not null,
  fence bigint not null default 0,
  -- A provider has to be waited for, and so has the walk.
  is_resting boolean not null default false
);

-- One of both: lines, or a range of the devices of the batch's provider.
alter table push_batches
  alter column targets drop not null,
  add column range_after text,
  add column range_until text,
  add constraint push_batches_targets check ((targets is null) = (range_until is not null));

-- For who looks for those that were lost: their claims have ended.
create index push_batches_taken on push_batches (claimable_at) where targets is null;
