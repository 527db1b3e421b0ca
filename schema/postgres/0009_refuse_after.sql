-- A condition for the end of a write. The write of a call must not take effect when the call has already been answered
-- with an error, because its client repeats it. So a statement that was delayed, by a lock or on its way, checks its
-- deadline when its rows are written or, in a transaction, right before the commit. Takes a Unix time in ms; takes no
-- locks. After that time it raises CP001, which undoes the statement; before it, it is true.
create function refuse_after(deadline_ms double precision) returns boolean language plpgsql volatile as $$
begin
  if extract(epoch from clock_timestamp()) * 1000 > deadline_ms then
    raise exception 'the deadline of this call has passed' using errcode = 'CP001';
  end if;
  return true;
end
$$;
