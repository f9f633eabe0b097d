package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// An act is what a scan says, before a courier puts it into its own words.
type act int

const (
	saidManifested act = iota
	saidPickupBooked
	saidOutForPickup
	saidNotReady
	saidPickedUp
	saidInscanned
	saidBagged
	saidLoaded
	saidDeparted
	saidArrived
	saidReceived
	saidWeighed
	saidReached
	saidOutForDelivery
	saidReattempt
	saidNobodyHome
	saidLaterPlease
	saidNoCash
	saidToCollect
	saidDelivered
	saidRTOOut
	saidSellerShut
	saidRTOAccepted
	saidMisrouted
	saidUntraceable
	saidLost
	saidDamaged
	saidDisposed
)

// scanStatus is the SHIPMENT-table status beside a scan (sr-status); acts that
// are not here are information only and say NA.
var scanStatus = map[act]status{
	saidManifested:     {shipmentID: 5, shipment: "MANIFEST GENERATED"},
	saidOutForPickup:   {shipmentID: 19, shipment: "OUT FOR PICKUP"},
	saidNotReady:       {shipmentID: 20, shipment: "PICKUP EXCEPTION"},
	saidPickedUp:       {shipmentID: 42, shipment: "PICKED UP"},
	saidInscanned:      {shipmentID: 6, shipment: "SHIPPED"},
	saidLoaded:         {shipmentID: 18, shipment: "IN TRANSIT"},
	saidDeparted:       {shipmentID: 18, shipment: "IN TRANSIT"},
	saidArrived:        {shipmentID: 18, shipment: "IN TRANSIT"},
	saidReceived:       {shipmentID: 18, shipment: "IN TRANSIT"},
	saidReached:        {shipmentID: 38, shipment: "REACHED AT DESTINATION HUB"},
	saidOutForDelivery: {shipmentID: 17, shipment: "OUT FOR DELIVERY"},
	saidNobodyHome:     {shipmentID: 21, shipment: "UNDELIVERED"},
	saidLaterPlease:    {shipmentID: 21, shipment: "UNDELIVERED"},
	saidNoCash:         {shipmentID: 21, shipment: "UNDELIVERED"},
	saidToCollect:      {shipmentID: 21, shipment: "UNDELIVERED"},
	saidDelivered:      {shipmentID: 7, shipment: "DELIVERED"},
	saidRTOOut:         {shipmentID: 41, shipment: "RTO_OFD"},
	saidSellerShut:     {shipmentID: 40, shipment: "RTO_NDR"},
	saidRTOAccepted:    {shipmentID: 10, shipment: "RTO DELIVERED"},
	saidMisrouted:      {shipmentID: 39, shipment: "MISROUTED"},
	saidUntraceable:    {shipmentID: 76, shipment: "UNTRACEABLE"},
	saidLost:           {shipmentID: 12, shipment: "LOST"},
	saidDamaged:        {shipmentID: 25, shipment: "DAMAGED"},
	saidDisposed:       {shipmentID: 44, shipment: "DISPOSED OFF"},
}

// words are a courier's code and text of a scan. {bag} and {rider} stand for a
// bag's number and for a rider who is nobody.
type words struct{ code, activity string }

// A courier has its own AWBs, scan codes, texts and names of places. The forms
// are those of live pushes; the codes of rare events are plausible.
type courier struct {
	name     string
	awb      func(serial uint64) string
	digits   bool // AWBs are all digits, as family B writes them
	srNumber bool // sr-status is a JSON number, not a string
	dayOnly  bool // the estimate is a date without a clock
	where    func(p place, c city) string
	words    map[act]words
}

func (c *courier) say(a act, rng *rand.Rand) (code, activity string) {
	w, ok := c.words[a]
	if !ok {
		w = plainWords[a]
	}
	if !strings.Contains(w.activity, "{") {
		return w.code, w.activity
	}
	bag := fmt.Sprintf("nx%08d", rng.IntN(100_000_000))
	return w.code, strings.NewReplacer("{bag}", bag, "{rider}", riders[rng.IntN(len(riders))]).Replace(w.activity)
}

// riders are the ways couriers name who has the parcel, for screens that must
// not show it.
var riders = []string{
	"FE Test Rider 9000000000",
	"Agent name: Test Rider MobileNo: 9000000000",
	"Rider: Test Rider, Ph 9000000000",
	"FE NAME-TEST RIDER, MOB-9000000000",
}

// plainWords serve where a courier has none of its own.
var plainWords = map[act]words{
	saidManifested:     {"", "Shipment data received"},
	saidPickupBooked:   {"", "Pickup scheduled"},
	saidOutForPickup:   {"", "Out for pickup"},
	saidNotReady:       {"", "Shipment not ready for pickup"},
	saidPickedUp:       {"", "Shipment picked up"},
	saidInscanned:      {"", "Shipment received at origin"},
	saidBagged:         {"", "Added to bag {bag}"},
	saidLoaded:         {"", "Bag added to vehicle"},
	saidDeparted:       {"", "Departed"},
	saidArrived:        {"", "Vehicle arrived"},
	saidReceived:       {"", "Shipment received at facility"},
	saidWeighed:        {"", "System weight captured"},
	saidReached:        {"", "Reached at destination"},
	saidOutForDelivery: {"", "Out for delivery {rider}"},
	saidReattempt:      {"", "Re-attempt as per instructions"},
	saidNobodyHome:     {"", "Consignee unavailable"},
	saidLaterPlease:    {"", "Consignee asked for future delivery"},
	saidNoCash:         {"", "COD amount not ready"},
	saidToCollect:      {"", "Consignee to collect from branch"},
	saidDelivered:      {"", "Delivered"},
	saidRTOOut:         {"", "Out for delivery to shipper"},
	saidSellerShut:     {"", "Shipper premises closed"},
	saidRTOAccepted:    {"", "Return accepted by shipper"},
	saidMisrouted:      {"", "Shipment misrouted"},
	saidUntraceable:    {"", "Shipment untraceable, search started"},
	saidLost:           {"", "Shipment lost"},
	saidDamaged:        {"", "Shipment damaged"},
	saidDisposed:       {"", "Shipment disposed of"},
}

// byRider carries hyperlocal parcels.
var byRider = &courier{
	name: "Quick-Rapido",
	where: func(_ place, c city) string {
		return c.area + ", " + c.name
	},
}

var couriers = []*courier{
	{
		name: "Delhivery Surface", digits: true,
		awb: func(n uint64) string { return fmt.Sprintf("19%012d", n%1_000_000_000_000) },
		where: func(p place, c city) string {
			suffix := map[place]string{sender: c.area + "_D", branch: c.area + "_I"}[p]
			if suffix == "" {
				suffix = "Mega_GW"
			}
			return c.name + "_" + suffix + " (" + c.state + ")"
		},
		words: map[act]words{
			saidManifested:     {"X-UCI", "Manifested - Manifest uploaded"},
			saidPickupBooked:   {"FMPUR-101", "Manifested - Pickup scheduled"},
			saidOutForPickup:   {"FMOFP-101", "Manifested - Out for Pickup"},
			saidNotReady:       {"FMEOD-152", "Manifested - Shipment not ready for pickup"},
			saidPickedUp:       {"X-PPOM", "In Transit - Shipment picked up"},
			saidInscanned:      {"X-PIOM", "In Transit - Shipment Recieved at Origin Center"}, //nolint:misspell // so the courier writes it
			saidBagged:         {"X-DBL1F", "In Transit - Added to Bag"},
			saidLoaded:         {"X-DLL2F", "In Transit - Bag Added To Trip"},
			saidDeparted:       {"X-DLO2F", "In Transit - Trip Departed"},
			saidArrived:        {"X-ILL2F", "In Transit - Trip Arrived"},
			saidReceived:       {"X-IBD3F", "In Transit - Shipment Received at Facility"},
			saidWeighed:        {"X-DWS", "In Transit - System weight captured"},
			saidReached:        {"X-IBD3F", "Pending - Shipment Received at Facility"},
			saidOutForDelivery: {"X-DDD3FD", "Dispatched - Out for delivery {rider}"},
			saidReattempt:      {"X-DBO3F", "Pending - Re-attempt as per NDR instructions"},
			saidNobodyHome:     {"EOD-11", "Pending - Consignee unavailable"},
			saidLaterPlease:    {"EOD-6", "Pending - Consignee asked for future delivery"},
			saidNoCash:         {"EOD-74", "Pending - COD amount not ready"},
			saidToCollect:      {"X-SC", "Pending - Consignee to collect from branch"},
			saidDelivered:      {"EOD-38", "Delivered - Delivered to consignee"},
			saidRTOOut:         {"X-DDD3FD", "Dispatched - Out for delivery"},
			saidSellerShut:     {"EOD-11", "Pending - Consignee unavailable"},
			saidRTOAccepted:    {"RT-101", "RTO - Return Accepted"},
		},
	},
	{
		name: "Xpressbees Surface", digits: true,
		awb: func(n uint64) string { return fmt.Sprintf("14%012d", n%1_000_000_000_000) },
		where: func(p place, c city) string {
			city, state := strings.ToUpper(c.name), strings.ToUpper(c.state)
			switch p {
			case sender: // a place whose name says RTO: only the status may tell that
				return "RTO/CHD, " + city + ", " + state
			case branch:
				return strings.ToUpper(c.area) + ", " + c.name + ", " + state
			}
			return c.code + "/HB1, " + city + ", " + state
		},
		words: map[act]words{
			saidManifested:     {"DRC", "Pending Manifest Data Received"},
			saidOutForPickup:   {"OFP", "Out for Pickup"},
			saidNotReady:       {"PND", "Pickup Not Done Shipment not ready"},
			saidPickedUp:       {"PUD", "PickDone"},
			saidInscanned:      {"PKD", "Picked Shipment InScan from Manifest"},
			saidBagged:         {"IT", "InTransit Shipment added in Bag {bag}"},
			saidDeparted:       {"IT", "InTransit Bag {bag} dispatched"},
			saidArrived:        {"IT", "InTransit Shipment InScan at Hub"},
			saidReached:        {"RAD", "Reached at Destination Shipment BagOut From Bag : {bag}"},
			saidOutForDelivery: {"OFD", "Out for Delivery Shipment Out for Delivery : {rider}"},
			saidNobodyHome:     {"UD", "Undelivered Customer not available"},
			saidLaterPlease:    {"UD", "Undelivered Customer asked for another day"},
			saidNoCash:         {"UD", "Undelivered COD not ready"},
			saidDelivered:      {"DLVD", "Delivered"},
			saidRTOOut:         {"RTO-OFD", "RTO Out for Delivery"},
			saidRTOAccepted:    {"RTD", "RTO Delivered"},
			saidLost:           {"LOST", "Shipment Lost"},
		},
	},
	{
		name: "Blue Dart Surface", digits: true, srNumber: true, dayOnly: true,
		awb: func(n uint64) string { return fmt.Sprintf("7%010d", n%10_000_000_000) },
		where: func(p place, c city) string {
			if p == sender || p == branch {
				return strings.ToUpper(c.area) + " SERVICE CENTER"
			}
			return strings.ToUpper(c.name) + " HUB"
		},
		words: map[act]words{
			saidManifested:     {"030-S", "SOFTDATA RECEIVED"},
			saidOutForPickup:   {"501-S-PU", "PICKUP EMPLOYEE IS OUT TO P/U SHIPMENT"},
			saidNotReady:       {"555-T-PU", "RE-SCHEDULED BY CUSTOMER"},
			saidPickedUp:       {"015-S", "PICKUP HAS BEEN REGISTERED"},
			saidInscanned:      {"001-S", "SHIPMENT ARRIVED AT ORIGIN"},
			saidBagged:         {"003-S", "SHIPMENT FURTHER CONNECTED, BAG {bag}"},
			saidDeparted:       {"003-S", "SHIPMENT FURTHER CONNECTED"},
			saidArrived:        {"004-S", "SHIPMENT ARRIVED AT HUB"},
			saidReached:        {"009-S", "SHIPMENT ARRIVED AT DESTINATION"},
			saidOutForDelivery: {"002-S", "SHIPMENT OUT FOR DELIVERY, {rider}"},
			saidNobodyHome:     {"018-T", "CONSIGNEE NOT AVAILABLE"},
			saidDelivered:      {"000-T-DL", "SHIPMENT DELIVERED"},
			saidRTOAccepted:    {"188-T", "RETURNED TO SHIPPER, DELIVERED"},
		},
	},
	{
		name: "DTDC Surface",
		awb: func(n uint64) string {
			return fmt.Sprintf("%d%c%08d", n/100_000_000%10, 'A'+n/1_000_000_000%26, n%100_000_000)
		},
		where: func(p place, c city) string {
			city := strings.ToUpper(c.name)
			if p == sender || p == branch {
				return strings.ToUpper(c.area) + " BRANCH , " + city
			}
			return city + " APEX , " + city
		},
		words: map[act]words{
			saidManifested:     {"SPL", "Softdata Upload"},
			saidOutForPickup:   {"PCAW", "Pickup Awaited"},
			saidNotReady:       {"PCRA", "Pickup Reassigned"},
			saidPickedUp:       {"PCUP", "Picked Up"},
			saidInscanned:      {"BKD", "Booked"},
			saidBagged:         {"OBMN", "In Transit, bag {bag}"},
			saidLoaded:         {"CDOUT", "In Transit"},
			saidDeparted:       {"CDOUT", "In Transit"},
			saidArrived:        {"CDIN", "In Transit"},
			saidReceived:       {"IBMN", "In Transit"},
			saidReached:        {"INSCAN", "Reached At Destination"},
			saidOutForDelivery: {"OUTDLV", "Out For Delivery {rider}"},
			saidNobodyHome:     {"NONDLV", "Not Delivered, receiver not available"},
			saidDelivered:      {"DLV", "Delivered"},
			saidRTOAccepted:    {"RTODLV", "RTO Delivered"},
		},
	},
}
