# A rumour told to three, once: most hear it, one in seventeen does not. Half of the peers dead, each telling is worth half.

> swarm gossip peers=200 seed=1 latency=constant:50
  200 peers, 0 links
> ask p000 the sky is green
     0.000  ask 1: p000 wants the sky is green
> run 2
     0.450  ask 1 is over. Heard by 183 of 199 living peers (92%).
> kill random 50%
     2.000  kill 100: p001 p002 p003 p004 p009 p022 …
> ask "state=alive and top 1 degree" the sky is blue
     2.000  ask 2: p000 wants the sky is blue
> quiet 3
> asks
  1  p000 wants the sky is green: 552 questions, 183 reached, 369 duplicates, 8 hops, 0 hits. Heard by 183 of 199 living peers (92%).
  2  p000 wants the sky is blue: 177 questions, 58 reached, 21 duplicates, 13 hops, 0 hits. Heard by 58 of 99 living peers (59%).
