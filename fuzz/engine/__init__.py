"""Runs a campaign: phases, cases, conversation, drawing, shrinking, replay. Sees a target only as Voice, Target and Link."""
