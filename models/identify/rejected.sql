/* model: rejected
   kind: work
   grain: one row a staged record that is not accepted
   inputs: verdicts */
select stage_row from verdicts where verdict <> 'accepted'
