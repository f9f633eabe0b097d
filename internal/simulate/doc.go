// Package simulate makes up parcels and sends what Shiprocket would push about
// them to a Waybill server, as real HTTP webhooks.
//
// It promises that every body has the shape of a documented or live push, that
// no event is dated after the moment it was made for, that the same seed and
// moment make the same pushes byte for byte, and that nobody in them is real:
// riders are called Test Rider and all have a number of zeros.
//
//	journeys.go   what may happen to a parcel, step by step
//	couriers.go   how each courier words and places it
//	parcel.go     one made-up parcel: its names, its route, its history so far
//	body.go       a push of that history, in each family of bodies
//	plan.go       many parcels as a list of pushes: mixed, shuffled, repeated
//	run.go        sends a plan and checks what became of it
//	demo.go       a dozen parcels on compressed time, without an end
package simulate
