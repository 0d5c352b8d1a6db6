function absorbing_weights(points, margin, alpha)
    weights = ones(points)
    for i in 1:points
        depth = min(i - 1, points - i)
        depth >= margin && continue
        u = 1 - depth / margin
        if u < 0.35
            weights[i] = exp(-alpha * 1.8 * u^3)
        else
            weights[i] = exp(-alpha * (0.0771 + 1.25 * (u - 0.35)^2))
        end
    end
    return weights ./ maximum(weights)
end
