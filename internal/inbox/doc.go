// Package inbox receives Shiprocket's pushes and works them off.
//
// It promises: a push that Receive accepted is on disk before its answer
// leaves; every row is worked off, parked with a reason or given up with every
// try on record; none is lost by a crash at any point; and a push that comes
// again changes nothing.
//
//	            Receive                     Run
//	proof ─► address ─► append ─► 200   claim ─► interpret ─► apply
//	  │401      │403       │503                                │
//	  ▼         ▼          ▼            ┌──────────┬───────────┼──────────┐
//	nothing   rejected   nothing      parked    pending     processed   (effects)
//	kept                              (reason)  (next try)
//	                                               │ last try
//	                                               ▼
//	                                             failed
package inbox
