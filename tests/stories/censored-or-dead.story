# From outside, a censored peer and a dead one look alike at first: silence. A dead machine's streams close after one
# latency, and its neighbours know; a censored one only ever stops answering.

> swarm gnutella peers=8 seed=2 topology=complete latency=constant:20 items=10
  8 peers, 28 links
> quiet 1
> censor p003
     1.000  censor 1: p003
> ask p000 no such thing
     1.000  ask 1: p000 wants no such thing
> run 3
     1.040  ask 1 is over. No answer: no peer holds "no such thing".
> kill p004
     4.000  kill 1: p004
> run 3
> ask p000 no such thing
     7.000  ask 2: p000 wants no such thing
> run 3
     7.040  ask 2 is over. No answer: no peer holds "no such thing".
> uncensor p003
    10.000  uncensor 1: p003
> run 2
> ask p000 no such thing
    12.000  ask 3: p000 wants no such thing
> run 3
    12.040  ask 3 is over. No answer: no peer holds "no such thing".
    13.660  p004 refuses p003 a Query
    13.660  p004 refuses p003 a Query
    13.660  p004 refuses p003 a Query
> lost
  dead 11
