# A mistake gets a sentence, and nothing has happened.

> swarm gnutella peers=5 seed=1
  5 peers, 10 links
> kill p9
  no: no peer is called "p9"
> kil p001
  no: story: no command is called "kil"; did you mean "kill"?
> kill role=indx
  no: no role is called "indx" (one of servent)
> kill random 200%
  no: selector "random 200%", character 8: expected at most 100%, found 200%
> shutdown napster
  no: no peer is run by an operator called "napster"
> set lss 0.5
  no: set: nothing is called "lss"; did you mean "loss"?
> set loss 2
  no: set: loss should be a number from 0 to 0.99, not "2"
> ask p001 "  "
  no: an ask needs something to ask for
> collude p001 "..."
  no: collude needs a word to ban, such as word = "blue train"
> kill (p001 or
  no: selector "(p001 or", character 9: expected a label, #17, role=…, random 10% …, found the end
> peers state=alive
  p000 p001 p002 p003 p004
