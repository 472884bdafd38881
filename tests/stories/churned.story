# Sessions of four seconds: a swarm that is never the same twice, and asks that are lost with those who asked them.

> swarm gnutella peers=12 seed=6 churn=exponential:4 asks_per_s=1 items=20
  12 peers, 12 links
> run 6
     0.249  p011 comes back
     0.334  p003 goes
     0.500  ask 1: p010 wants polite postman
     0.620  p002 comes back
     0.662  ask 1: p000 has it
     0.699  p007 comes back
     0.705  ask 2: p011 wants blue train
     0.813  p008 notes: hit without a way back
     0.924  ask 3: p006 wants odd island
     0.947  p006 notes: hit without a way back
     0.956  p010 refuses p005 a Query
     0.993  p010 refuses p000 a Query
     1.072  ask 3: p007 has it
     1.083  p011 refuses p000 a QueryHit
     1.083  ask 2 is over. No answer: 4 peers hold it; 4 could not answer, since the asker is dead.
     1.090  ask 3: p000 has it
     1.142  ask 3: p002 has it
     1.145  ask 3 is over. Found: 3 holders, the first after 0.15 s.
     2.086  ask 4: p005 wants polite postman
     2.303  p010 refuses p000 a Chunk
     2.303  ask 1 is over. Found: 1 holder, the first after 0.16 s, but it was not fetched: the asker is dead.
     3.067  p005 refuses p006 a Chunk
     3.067  ask 4 is over. Found: 4 holders, the first after 0.12 s, but it was not fetched: the asker is dead.
     4.635  p007 refuses p005 a Query
     4.643  p007 refuses p003 a Query
            and 25 more of churned
            and 4 more of askissued
            and 18 more of hit
            and 3 more of refusedquery
            and 1 more of closed
> asks
  1  p010 wants polite postman: 24 questions, 7 reached, 17 duplicates, 2 hops, 1 hits. Found: 1 holder, the first after 0.16 s, but it was not fetched: the asker is dead.
  2  p011 wants blue train: 39 questions, 10 reached, 27 duplicates, 4 hops, 0 hits. No answer: 4 peers hold it; 4 could not answer, since the asker is dead.
  3  p006 wants odd island: 29 questions, 8 reached, 21 duplicates, 3 hops, 3 hits. Found: 3 holders, the first after 0.15 s.
  4  p005 wants polite postman: 37 questions, 8 reached, 29 duplicates, 2 hops, 4 hits. Found: 4 holders, the first after 0.12 s, but it was not fetched: the asker is dead.
  5  p009 wants night owl: 38 questions, 8 reached, 30 duplicates, 2 hops, 4 hits. Found: 4 holders, the first after 0.07 s, but it was not fetched: the asker has been restarted.
  6  p011 wants tired scholar: 43 questions, 9 reached, 32 duplicates, 2 hops, 3 hits. 
  7  p004 wants blue train: 42 questions, 9 reached, 30 duplicates, 3 hops, 3 hits. 
  8  p011 wants polite postman: 45 questions, 10 reached, 35 duplicates, 2 hops, 4 hits. 
