/* model: ops.quarantine
   kind: view
   grain: one row a record that broke its contract; replayed_at is set once it was replayed to success
   inputs: store.quarantine, store.replays */
select key_text(q.quarantine_id) as quarantine_id, q.* exclude (quarantine_id), r.replayed_at
from store.quarantine q left join store.replays r on r.quarantine_id = q.quarantine_id and r.batch_id <= as_of()
where q.batch_id <= as_of()
