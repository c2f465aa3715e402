//! What a call must pass before it acts, in one table. Spotify's real order is not known; it is changed here.

use kernel::Timestamp;

use super::errors::ApiError;
use super::routes::{Endpoint, Route};
use crate::exchange::Call;
use crate::world::World;
use crate::world::tokens::Grant;

struct Asked<'a> {
    world: &'a mut World,
    grant: &'a Grant,
    route: &'static Route,
    now: Timestamp,
}

type Gate = fn(&mut Asked<'_>) -> Result<(), ApiError>;

/// After the token (which says whose call it is) and before device and restriction (which the act itself finds).
const GATES: [Gate; 8] = [owner_premium, allowlist, quota, rate, count, mode, scope, premium];

const OWNER: &str = "Active premium subscription required for the owner of the app. When the subscription status \
                     changes, it can take a few hours before requests are allowed again.";

/// Lets a call through, with the grant that it stands on.
pub(crate) fn pass(
    world: &mut World,
    call: &Call,
    route: &'static Route,
    now: Timestamp,
) -> Result<Grant, ApiError> {
    let value = call.bearer().ok_or_else(ApiError::token_missing)?;
    let grant = world.bearer(value, now).ok_or_else(ApiError::token_invalid)?;
    let mut asked = Asked { world, grant: &grant, route, now };
    for gate in GATES {
        gate(&mut asked)?;
    }
    Ok(grant)
}

fn owner_premium(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    let lapsed = !asked.world.app(&asked.grant.client_id).owner_premium;
    if lapsed { Err(ApiError::new(403, OWNER)) } else { Ok(()) }
}

fn allowlist(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    let user = asked.grant.user;
    let app = asked.world.app(&asked.grant.client_id);
    if app.allowlist.as_ref().is_some_and(|allowed| !allowed.contains(&user)) {
        return Err(ApiError::new(403, "User not registered in the Developer Dashboard"));
    }
    Ok(())
}

fn quota(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    let app = asked.world.app(&asked.grant.client_id);
    app.within_quota(asked.route.group, asked.now).map_err(ApiError::quota)
}

fn rate(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    asked.world.app(&asked.grant.client_id).within_rate(asked.now).map_err(ApiError::rate)
}

/// No gate: it stands behind both limits, so that what one of them refused costs nothing of the other.
fn count(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    asked.world.app(&asked.grant.client_id).count(asked.route.group, asked.now);
    Ok(())
}

fn mode(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    if asked.route.endpoint != Endpoint::Removed {
        Ok(())
    } else if asked.world.app(&asked.grant.client_id).extended() {
        Err(ApiError::new(501, "The simulator does not have this endpoint"))
    } else {
        Err(ApiError::new(403, "Forbidden"))
    }
}

fn scope(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    let granted = asked.route.scopes.iter().all(|scope| asked.grant.has(scope));
    if granted { Ok(()) } else { Err(ApiError::scope()) }
}

fn premium(asked: &mut Asked<'_>) -> Result<(), ApiError> {
    if asked.route.command && !asked.world.account(asked.grant.user, asked.now).premium {
        return Err(ApiError::premium_required());
    }
    Ok(())
}
